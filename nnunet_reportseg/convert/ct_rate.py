"""CT-RATE: where its volumes lie, its tables of reports, and ``ctrate``, which gives those to an nnU-Net dataset.

Source: Hamamci et al., "Developing Generalist Foundation Models from a Multimodal Dataset for 3D Computed Tomography",
https://huggingface.co/datasets/ibrahimhamamci/CT-RATE. Tables ``*_reports.csv`` have one row per volume; "Not given."
means that a part is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from nnunet_reportseg.convert.table import by_key, read_table
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.raw_dataset import RawDataset
from nnunet_reportseg.sidecar import SIDECAR_NAME, CaseEntry, Sidecar
from nnunet_reportseg.sidecar_format import has_words

NAME_COLUMN = "VolumeName"
_PARTS = {
    "ClinicalInformation_EN": "CLINICAL INFORMATION",
    "Technique_EN": "TECHNIQUE",
    "Findings_EN": "FINDINGS",
    "Impressions_EN": "IMPRESSION",
}
_NOT_GIVEN = "not given"
_ENDING = ".nii.gz"


def read_ct_rate_reports(tables: Sequence[Path]) -> dict[str, str | None]:
    """Read tables of reports.

    Args:
        tables: CSV files of CT-RATE.

    Returns:
        Reports by volume name without ending, one heading per part that is given; ``None`` where no part is.

    Raises:
        DatasetError: A table cannot be used, or a volume is in it twice.
    """
    reports: dict[str, str | None] = {}
    for table in tables:
        rows = by_key(read_table(table, (NAME_COLUMN, *_PARTS)), NAME_COLUMN, table)
        for name, row in rows.items():
            volume = name.removesuffix(_ENDING)
            if volume in reports:
                raise DatasetError.about(
                    "two tables have a report of this volume", case=volume, file=table, fix="keep one of them"
                )
            given = [
                f"{heading}: {row[part]}"
                for part, heading in _PARTS.items()
                if has_words(row[part]) and row[part].rstrip(". ").casefold() != _NOT_GIVEN
            ]
            reports[volume] = "\n".join(given) or None
    return reports


def require_report(reports: dict[str, str | None], volume: str, tables: Sequence[Path]) -> str | None:
    """The report of a volume; ``None`` where the table says that no part is given.

    Raises:
        DatasetError: No table has the volume.
    """
    if volume not in reports:
        raise DatasetError.about(
            "no table of reports has this volume",
            case=volume,
            file=", ".join(map(str, tables)),
            value=f"{volume}{_ENDING}",
            fix="name the table of its split too, or correct the case name",
        )
    return reports[volume]


def find_volume(folder: Path, name: str) -> Path:
    """The file of a volume, in CT-RATE's folders or flat.

    Args:
        folder: The folder that holds ``dataset/<split>_fixed``, one of the folders below it, or one with all files.
        name: For example ``train_12_a_1.nii.gz``, which lies in ``dataset/train_fixed/train_12/train_12_a``.

    Raises:
        DatasetError: It is in none of these places.
    """
    split, *rest = name.removesuffix(_ENDING).split("_")
    inner = Path(f"{split}_fixed")
    for depth in (1, 2):
        inner /= "_".join([split, *rest[:depth]])
    inner /= name
    places = [folder / "dataset" / inner, folder / inner, folder / Path(*inner.parts[1:]), folder / name]
    for place in places:
        if place.is_file():
            return place
    raise DatasetError.about(
        "the CT volume is missing",
        case=name.removesuffix(_ENDING),
        file=places[0],
        fix="fetch it from CT-RATE (dataset/<split>_fixed), or name the folder that holds it with --images",
    )


def attach_reports(folder: Path, tables: Sequence[Path], *, missing_report: Literal["error", "null"] = "error") -> Path:
    """Write the ``reports.json`` of an nnU-Net dataset whose cases are volumes of CT-RATE.

    Args:
        folder: ``nnUNet_raw/DatasetXXX_Name``.
        tables: CSV files of CT-RATE.
        missing_report: ``"null"``: a case that no table has gets no report.

    Returns:
        The file.

    Raises:
        DatasetError: There is a ``reports.json`` already, a table cannot be used, or no table has a case.
    """
    file = folder / SIDECAR_NAME
    if file.exists():
        raise DatasetError.about("the dataset has reports already", file=file, fix="move this file away")
    reports = read_ct_rate_reports(tables)
    entries = {}
    for case in RawDataset(folder).cases:
        absent = case not in reports and missing_report == "null"
        entries[case] = CaseEntry(report=None if absent else require_report(reports, case, tables))
    Sidecar(entries, path=file).write(file)
    return file
