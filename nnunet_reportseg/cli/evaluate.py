"""``reportseg evaluate``: Dice per case and label, empty masks counted, as CSV and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from nnunet_reportseg.evaluation.segmentation import Evaluation


def command(
    predictions: Annotated[Path, typer.Option("-p", "--predictions", help="Folder with predicted segmentations.")],
    references: Annotated[Path, typer.Option("-r", "--references", help="Folder with reference segmentations.")],
    dataset: Annotated[
        str | None, typer.Option("-d", "--dataset", help="Dataset whose dataset.json names the labels.")
    ] = None,
    dataset_json: Annotated[
        Path | None,
        typer.Option("--dataset-json", help="This dataset.json instead; by default the one beside the predictions."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the results; by default that of the predictions.")
    ] = None,
) -> None:
    """Score predictions: Dice per case and label, empty masks counted, as evaluation.csv and evaluation.json."""
    from rich.console import Console

    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.dataset_json import DATASET_JSON, read_label_set
    from nnunet_reportseg.errors import DatasetError
    from nnunet_reportseg.evaluation.segmentation import evaluate_folder
    from nnunet_reportseg.paths import RAW, dataset_folder_name, require_paths

    for name, folder in (("--predictions", predictions), ("--references", references)):
        if not folder.is_dir():
            raise DatasetError.about("no such folder", file=folder, value=name, fix="name an existing folder")
    if dataset_json is None and dataset is not None:
        (raw,) = require_paths(RAW)
        dataset_json = raw / dataset_folder_name(dataset, raw) / DATASET_JSON
    labels = read_label_set(dataset_json if dataset_json is not None else predictions / DATASET_JSON)
    with cases_progress("Scoring") as progress:
        evaluation = evaluate_folder(predictions, references, labels, progress=progress)
    folder = output if output is not None else predictions
    evaluation.write_csv(folder / "evaluation.csv")
    evaluation.write_json(folder / "evaluation.json")
    _print_summary(evaluation, Console())
    Console().print(f"Written: {folder / 'evaluation.csv'}, {folder / 'evaluation.json'}", soft_wrap=True, markup=False)


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
