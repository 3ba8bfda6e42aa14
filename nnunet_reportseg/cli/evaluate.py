"""``reportseg evaluate``: labels of each case, or a mask for each finding; empty masks counted, as CSV and JSON."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from nnunet_reportseg.evaluation.segmentation import Evaluation


class Protocol(Enum):
    """What is scored, and how; those of findings are `nnunet_reportseg.evaluation.finding_evaluation.PROTOCOLS`."""

    LABELS = "labels"
    REXGROUNDINGCT = "rexgroundingct"
    GENERAL = "general"


def command(
    predictions: Annotated[
        Path,
        typer.Option(
            "-p", "--predictions", help="Folder with predicted segmentations; for findings, a folder per case."
        ),
    ],
    references: Annotated[Path, typer.Option("-r", "--references", help="Folder with reference segmentations.")],
    dataset: Annotated[
        str | None, typer.Option("-d", "--dataset", help="Dataset whose dataset.json names the labels.")
    ] = None,
    dataset_json: Annotated[
        Path | None,
        typer.Option(
            "--dataset-json",
            help="This dataset.json instead; by default the one beside the predictions, for findings the one of the "
            "dataset that the references lie in.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the results; by default that of the predictions.")
    ] = None,
    protocol: Annotated[
        Protocol, typer.Option("--protocol", help="Labels of each case, or one of two protocols for findings.")
    ] = Protocol.LABELS,
    reports: Annotated[
        Path | None, typer.Option("--reports", help="Sidecar with the findings and their label values.")
    ] = None,
    categories: Annotated[
        Path | None, typer.Option("--categories", help="CSV with case, finding and category, for scores by category.")
    ] = None,
) -> None:
    """Score predictions: labels of each case, or a mask for each finding; empty masks counted; as CSV and JSON."""
    from nnunet_reportseg.dataset_json import DATASET_JSON
    from nnunet_reportseg.errors import DatasetError
    from nnunet_reportseg.paths import RAW, dataset_folder_name, require_paths

    of_findings = protocol is not Protocol.LABELS
    if of_findings and reports is None:
        raise typer.BadParameter(f"--protocol {protocol.value} needs --reports, the sidecar with the findings")
    if not of_findings and (reports is not None or categories is not None):
        raise typer.BadParameter("--reports and --categories need --protocol rexgroundingct or general")
    for name, folder in (("--predictions", predictions), ("--references", references)):
        if not folder.is_dir():
            raise DatasetError.about("no such folder", file=folder, value=name, fix="name an existing folder")
    if dataset_json is None and dataset is not None:
        (raw,) = require_paths(RAW)
        dataset_json = raw / dataset_folder_name(dataset, raw) / DATASET_JSON
    if dataset_json is None:
        dataset_json = (references.resolve().parent if of_findings else predictions) / DATASET_JSON
    folder = predictions if output is None else output
    if reports is None:
        _score_labels(predictions, references, dataset_json, folder)
    else:
        _score_findings(predictions, references, dataset_json, folder, protocol.value, reports, categories)


def _score_labels(predictions: Path, references: Path, dataset_json: Path, folder: Path) -> None:
    from rich.console import Console

    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.dataset_json import read_label_set
    from nnunet_reportseg.evaluation.segmentation import evaluate_folder

    labels = read_label_set(dataset_json)
    with cases_progress("Scoring") as progress:
        evaluation = evaluate_folder(predictions, references, labels, progress=progress)
    evaluation.write_csv(folder / "evaluation.csv")
    evaluation.write_json(folder / "evaluation.json")
    _print_summary(evaluation, Console())
    Console().print(f"Written: {folder / 'evaluation.csv'}, {folder / 'evaluation.json'}", soft_wrap=True, markup=False)


def _score_findings(
    predictions: Path,
    references: Path,
    dataset_json: Path,
    folder: Path,
    protocol: str,
    reports: Path,
    categories: Path | None,
) -> None:
    from rich.console import Console

    from nnunet_reportseg.cli.evaluate_display import show_findings
    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.dataset_json import read_label_set
    from nnunet_reportseg.evaluation.categories import read_categories
    from nnunet_reportseg.evaluation.finding_evaluation import evaluate_findings
    from nnunet_reportseg.sidecar import Sidecar

    labels, sidecar = read_label_set(dataset_json), Sidecar.load(reports)
    table = None if categories is None else read_categories(categories)
    with cases_progress("Scoring") as progress:
        evaluation = evaluate_findings(
            predictions, references, sidecar, labels, protocol, categories=table, progress=progress
        )
    files = [folder / f"evaluation_{protocol}.{ending}" for ending in ("csv", "json")]
    evaluation.write_csv(files[0])
    evaluation.write_json(files[1])
    show_findings(evaluation, Console())
    Console().print(f"Written: {files[0]}, {files[1]}", soft_wrap=True, markup=False)


def _print_summary(evaluation: Evaluation, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for title in ("label", "cases", "Dice", "Dice, reference not empty", "found", "missed", "false", "both empty"):
        table.add_column(title)
    for label, summary in evaluation.summary.items():
        nonempty = summary.dice_mean_nonempty
        counts = summary.counts
        table.add_row(
            Text(label),
            str(summary.cases),
            f"{summary.dice_mean:.3f}",
            "-" if nonempty is None else f"{nonempty:.3f}",
            *(str(counts[status]) for status in ("overlap", "missed", "false_positive", "both_empty")),
        )
    console.print(table)
