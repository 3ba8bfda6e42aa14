"""A library of real nodules: cut-outs in HU, masks, and a table of what radiologists said about them.

Made for folders such as the cut-outs of LIDC-IDRI (Armato et al., doi 10.7937/K9/TCIA.2015.LO9QL9SX, CC BY 3.0):
``image/<file>``, ``mask/<file>`` and ``nodules.csv``.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.ct_volume import read_image, read_image_on
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.text_file import read_text

TABLE = "nodules.csv"
COLUMNS = ("file", "eq_diam_mm", "Texture", "Margin", "Spiculation")
TEXTURES = {
    "Solid": "solid",
    "Solid/Mixed": "predominantly solid",
    "Part Solid/Mixed": "part-solid",
    "Non-Solid/Mixed": "predominantly ground-glass",
    "Non-Solid/GGO": "ground-glass",
}
MARGINS = {
    "Sharp": "well-defined",
    "Near Sharp": "well-defined",
    "Medium Margin": "moderately defined",
    "Near Poorly Defined": "ill-defined",
    "Poorly Defined": "ill-defined",
}
SPICULATIONS = {
    "No Spiculation": "",
    "Nearly No Spiculation": "",
    "Medium Spiculation": "spiculated",
    "Near Marked Spiculation": "spiculated",
    "Marked Spiculation": "spiculated",
}


@dataclass(frozen=True)
class Nodule:
    """A real nodule.

    Attributes:
        file: File name of its image and mask.
        patient: Whom it comes from; nodules of one patient stay in one split.
        diameter_mm: Diameter of the ball of equal volume.
        words: Placeholders of the report templates: size, texture, margin.
        image: Cut-out in HU.
        mask: Mask on the same grid.
    """

    file: str
    patient: str
    diameter_mm: float
    words: Mapping[str, str]
    image: sitk.Image
    mask: sitk.Image


def read_nodules(folder: Path) -> tuple[Nodule, ...]:
    """Read the table and all cut-outs, in the order of the table.

    Raises:
        DatasetError: The table or a file is missing, a column is missing, or an entry cannot be read.
    """
    table = Path(folder) / TABLE
    rows = _read_rows(table)
    return tuple(_read_nodule(Path(folder), table, row) for row in rows)


def split_nodules(
    nodules: tuple[Nodule, ...], test_share: float, rng: np.random.Generator
) -> tuple[tuple[Nodule, ...], tuple[Nodule, ...]]:
    """Divide nodules by patient into training and test."""
    patients = sorted({nodule.patient for nodule in nodules})
    if len(patients) < 2:
        raise DatasetError.about(
            "nodules of one patient cannot be divided into training and test", fix="add nodules of other patients"
        )
    count = min(max(1, round(test_share * len(patients))), len(patients) - 1)
    test = {patients[i] for i in rng.permutation(len(patients))[:count]}
    return (
        tuple(nodule for nodule in nodules if nodule.patient not in test),
        tuple(nodule for nodule in nodules if nodule.patient in test),
    )


def _read_rows(table: Path) -> list[dict[str, str]]:
    text = read_text(
        table, DatasetError, what="the nodule table", absent=f"give a folder with image/, mask/ and {TABLE}"
    )
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        lines = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise DatasetError.about(
            f"the nodule table is not CSV: {error} at line {reader.line_num}", file=table, fix="correct that line"
        ) from error
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise DatasetError.about(
            f"column {', '.join(missing)} missing", file=table, value=reader.fieldnames, fix="add it to the header"
        )
    rows: dict[str, dict[str, str]] = {}
    for number, row in lines:
        empty = [column for column in COLUMNS if not row[column]]
        if empty:
            raise DatasetError.about(
                f"line {number} has no {', '.join(empty)}", file=table, value=row, fix="fill it in"
            )
        if row["file"] in rows:  # it could come into both training and test
            raise DatasetError.about(
                f"line {number} names a nodule again", file=table, value=row["file"], fix="remove one of them"
            )
        rows[row["file"]] = row
    if not rows:
        raise DatasetError.about("the nodule table has no rows", file=table, fix="add a row per nodule")
    return list(rows.values())


def _read_nodule(folder: Path, table: Path, row: Mapping[str, str]) -> Nodule:
    name = row["file"]
    diameter = _positive(row["eq_diam_mm"])
    if diameter is None:
        raise DatasetError.about(
            f"eq_diam_mm of {name} is not a number above 0",
            file=table,
            value=row["eq_diam_mm"],
            fix="give the diameter in mm",
        )
    image = read_image(folder / "image" / name)
    mask = read_image_on(image, folder / "mask" / name)
    if not (sitk.GetArrayViewFromImage(mask) > 0).any():
        raise DatasetError.about("the mask is empty", file=folder / "mask" / name, fix="leave the nodule out")
    margin = _look_up(MARGINS, row, "Margin", table)
    words = {
        "size": f"{max(1, round(diameter))} mm",
        "texture": _look_up(TEXTURES, row, "Texture", table),
        "margin": _look_up(SPICULATIONS, row, "Spiculation", table) or margin,
    }
    return Nodule(name, row.get("patient_id") or name, diameter, words, image, mask)


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value > 0 and math.isfinite(value) else None


def _look_up(words: Mapping[str, str], row: Mapping[str, str], column: str, table: Path) -> str:
    value = row[column]
    if value not in words:
        raise DatasetError.about(
            f"{column} of {row['file']} is not a known term", file=table, value=value, fix=f"use one of {list(words)}"
        )
    return words[value]
