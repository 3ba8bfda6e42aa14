"""``reportseg convert``: published datasets, and one's own folders, to raw nnU-Net datasets with reports.json."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnunet_reportseg.cli.nnunet_command import NnunetCommand
from nnunet_reportseg.cli.options import MissingReport, MissingReportOption, RawRoot

if TYPE_CHECKING:
    from nnunet_reportseg.convert.case import SourceDataset

app = typer.Typer(
    help="Write a raw nnU-Net dataset with reports.json from a published dataset or from folders of one's own.",
    no_args_is_help=True,
)

NewDataset = Annotated[int, typer.Option("-d", "--dataset", help="Number of the new dataset.")]
Name = Annotated[str, typer.Option("--name", help="Name after the number.")]
Copy = Annotated[bool, typer.Option("--copy", help="Copy files that stay as they are, instead of linking to them.")]
Images = Annotated[Path, typer.Option("-i", "--images", help="Folder of images.")]
Labels = Annotated[Path, typer.Option("-l", "--labels", help="Folder of labels, named like the cases.")]
Reports = Annotated[
    Path, typer.Option("-r", "--reports", help="Folder of <case>.txt, or a table with the columns case and report.")
]
LabelValues = Annotated[
    list[str] | None,
    typer.Option("--label", help="NAME=VALUE or NAME=VALUE,VALUE; repeatable. Left out: one region of all values."),
]


@app.command("folder", cls=NnunetCommand)
def folder(
    images: Images,
    labels: Labels,
    reports: Reports,
    out: RawRoot,
    dataset_id: NewDataset,
    name: Name = "ReportFolder",
    channel: Annotated[
        list[str] | None, typer.Option("--channel", help="Name of an image channel; repeatable. Left out: CT.")
    ] = None,
    label: LabelValues = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
    copy: Copy = False,
) -> None:
    """Images, labels and one text file or table row per case, by the names of their files."""
    from nnunet_reportseg.convert.folder import read_folder

    source = read_folder(
        images,
        labels,
        reports,
        channels=tuple(channel or ["CT"]),
        label_values=_label_values(label),
        missing_report=missing_report.choice,
    )
    _write(source, out, dataset_id, name, copy)


def _label_values(given: list[str] | None) -> dict[str, tuple[int, ...]] | None:
    if not given:
        return None
    labels = {}
    for text in given:
        name, _, values = text.partition("=")
        numbers = values.split(",")
        if not name or not all(number.strip().isdecimal() for number in numbers):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE or NAME=VALUE,VALUE", param_hint="--label")
        labels[name] = tuple(int(number) for number in numbers)
    return labels


def _write(source: SourceDataset, out: Path, dataset_id: int, name: str, copy: bool) -> None:
    from nnunet_reportseg.cli.check_display import check_and_print
    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.convert.dataset import write_dataset

    with cases_progress("Converting") as progress:
        folder = write_dataset(source, out, dataset_id=dataset_id, name=name, copy=copy, progress=progress)
    held_out = sum(case.split == "Ts" for case in source.cases)
    typer.echo(f"{folder}: {len(source.cases) - held_out} training cases, {held_out} held-out cases")
    if check_and_print(folder):
        raise typer.Exit(2)
