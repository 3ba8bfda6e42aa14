"""``reportseg convert``: published datasets, and one's own folders, to raw nnU-Net datasets with reports.json."""

from __future__ import annotations

from enum import Enum
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


class ReportKind(Enum):
    """The two reports of a case of AbdomenAtlas 3.0."""

    NARRATIVE = "narrative"
    STRUCTURED = "structured"


class Unlabelled(Enum):
    """What unlabelled further instances of a finding are."""

    BACKGROUND = "background"
    IGNORE = "ignore"


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


@app.command("rexgroundingct", cls=NnunetCommand)
def rexgroundingct(
    description: Annotated[
        Path, typer.Option("-i", "--input", help="dataset.json of the release; segmentations/ lies beside it.")
    ],
    images: Annotated[Path, typer.Option("--images", help="CT volumes of CT-RATE: its own folders, or one folder.")],
    out: RawRoot,
    dataset_id: NewDataset,
    name: Name = "ReXGroundingCT",
    reports: Annotated[
        list[Path] | None,
        typer.Option("-r", "--reports", help="CSV of CT-RATE's reports; repeatable. Left out: the list of findings."),
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option("--split", help="Split for training; repeatable. Left out: train.")
    ] = None,
    held_out: Annotated[
        list[str] | None, typer.Option("--held-out", help="Split that goes to imagesTs and labelsTs; repeatable.")
    ] = None,
    unlabelled: Annotated[
        Unlabelled,
        typer.Option(
            "--unlabelled",
            help="Unlabelled further instances of a finding: background, as the benchmark has it, or ignored by "
            "ReportGroundingTrainer.",
        ),
    ] = Unlabelled.BACKGROUND,
    copy: Copy = False,
) -> None:
    """ReXGroundingCT: chest CT with one mask per finding; overlaps get values of their own."""
    from nnunet_reportseg.convert.rexgroundingct import read_rexgroundingct

    source = read_rexgroundingct(
        description,
        images,
        reports=reports or (),
        splits=split or ("train",),
        held_out=held_out or (),
        ignore_unlabelled=unlabelled is Unlabelled.IGNORE,
    )
    _write(source, out, dataset_id, name, copy)


@app.command("ctrate", cls=NnunetCommand)
def ctrate(
    dataset: Annotated[str, typer.Option("-d", "--dataset", help="Number or name of the dataset, for example 501.")],
    reports: Annotated[list[Path], typer.Option("-r", "--reports", help="CSV of CT-RATE's reports; repeatable.")],
    missing_report: MissingReportOption = MissingReport.ERROR,
) -> None:
    """CT-RATE: give its reports to an nnU-Net dataset whose cases are named like its volumes."""
    from nnunet_reportseg.cli.check_display import check_and_print
    from nnunet_reportseg.convert.ct_rate import attach_reports
    from nnunet_reportseg.paths import RAW, dataset_folder_name, require_paths

    (raw,) = require_paths(RAW)
    folder = raw / dataset_folder_name(dataset, raw)
    typer.echo(attach_reports(folder, reports, missing_report=missing_report.choice))
    if check_and_print(folder):
        raise typer.Exit(2)


@app.command("lvit", cls=NnunetCommand)
def lvit(
    source: Annotated[Path, typer.Option("-i", "--input", help="The folder that holds Train_Folder.")],
    channel: Annotated[str, typer.Option("--channel", help="Name of the image channel, such as X-ray.")],
    out: RawRoot,
    dataset_id: NewDataset,
    name: Name = "LViT",
    copy: Copy = False,
) -> None:
    """QaTa-COV19 and MosMedData+: 2D images with the short texts of LViT."""
    from nnunet_reportseg.convert.lvit import read_lvit

    _write(read_lvit(source, channel=channel), out, dataset_id, name, copy)


@app.command("nsclc_radiogenomics", cls=NnunetCommand)
def nsclc_radiogenomics(
    images: Images,
    labels: Labels,
    table: Annotated[Path, typer.Option("-r", "--reports", help="The clinical table (CSV) of the release.")],
    out: RawRoot,
    dataset_id: NewDataset,
    name: Name = "NSCLCRadiogenomics",
    copy: Copy = False,
) -> None:
    """NSCLC Radiogenomics: chest CT; reports are templates filled from the clinical table."""
    from nnunet_reportseg.convert.nsclc_radiogenomics import read_nsclc_radiogenomics

    _write(read_nsclc_radiogenomics(images, labels, table), out, dataset_id, name, copy)


@app.command("busbra", cls=NnunetCommand)
def busbra(
    source: Annotated[Path, typer.Option("-i", "--input", help="The folder that holds bus_data.csv.")],
    out: RawRoot,
    dataset_id: NewDataset,
    name: Name = "BUSBRA",
    copy: Copy = False,
) -> None:
    """BUS-BRA: breast ultrasound; reports are templates filled from BI-RADS category and side."""
    from nnunet_reportseg.convert.busbra import read_busbra

    _write(read_busbra(source), out, dataset_id, name, copy)


@app.command("abdomenatlas3", cls=NnunetCommand)
def abdomenatlas3(
    source: Annotated[Path, typer.Option("-i", "--input", help="The folder that holds BDMAP_... folders.")],
    table: Annotated[Path, typer.Option("-r", "--reports", help="The table of reports (CSV) of the release.")],
    out: RawRoot,
    dataset_id: NewDataset,
    name: Name = "AbdomenAtlas3",
    kind: Annotated[ReportKind, typer.Option("--kind", help="Which of the two reports.")] = ReportKind.NARRATIVE,
    mask: Annotated[
        list[str] | None, typer.Option("--mask", help="Mask that becomes a label; repeatable. Left out: lesions.")
    ] = None,
    copy: Copy = False,
) -> None:
    """AbdomenAtlas 3.0: abdominal CT; its reports were written from the masks and can give them away."""
    from nnunet_reportseg.convert.abdomenatlas3 import LESIONS, read_abdomenatlas3

    _write(read_abdomenatlas3(source, table, kind=kind.value, masks=mask or LESIONS), out, dataset_id, name, copy)


@app.command("dicom", cls=NnunetCommand)
def dicom(
    images: Annotated[Path, typer.Option("-i", "--images", help="One folder per case, each with one DICOM series.")],
    labels: Labels,
    reports: Reports,
    out: RawRoot,
    dataset_id: NewDataset,
    name: Name = "ReportDicom",
    channel: Annotated[str, typer.Option("--channel", help="Name of the image channel.")] = "CT",
    label: LabelValues = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
    copy: Copy = False,
) -> None:
    """DICOM series, one folder per case, with labels and reports as for folder."""
    from nnunet_reportseg.convert.dicom import read_dicom_folders

    source = read_dicom_folders(
        images,
        labels,
        reports,
        channel=channel,
        label_values=_label_values(label),
        missing_report=missing_report.choice,
    )
    _write(source, out, dataset_id, name, copy)


def _label_values(given: list[str] | None) -> dict[str, tuple[int, ...]] | None:
    from nnunet_reportseg.label_map import MAX_LABEL_VALUE

    if not given:
        return None
    labels: dict[str, tuple[int, ...]] = {}
    for text in given:
        name, _, values = text.partition("=")
        numbers = values.split(",")
        if not name or not all(number.strip().isdecimal() for number in numbers):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE or NAME=VALUE,VALUE", param_hint="--label")
        found = tuple(int(number) for number in numbers)
        if name == "background" or not all(0 < value <= MAX_LABEL_VALUE for value in found):
            raise typer.BadParameter(
                f"{text!r}: values are 1 to {MAX_LABEL_VALUE}; 0 is background and not named", param_hint="--label"
            )
        if name in labels:
            raise typer.BadParameter(f"{name!r} is there twice; name all its values at once", param_hint="--label")
        labels[name] = found
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
