"""``busbra``: breast ultrasound with BI-RADS categories; the report is a template filled from the table.

Source: Gómez-Flores et al., "BUS-BRA: A breast ultrasound dataset for assessing computer-aided diagnosis systems",
Medical Physics 2024, https://doi.org/10.5281/zenodo.8231412.

::

    Images/bus_0001-l.png   Masks/mask_0001-l.png   bus_data.csv with the columns ID, BIRADS, and Side where it is there

The pathology is not put into the report: who reads the image does not know it. Nor is the box around the lesion.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from nnunet_reportseg.convert.case import SourceCase, SourceDataset
from nnunet_reportseg.convert.folder import require_folder
from nnunet_reportseg.convert.pictures import convert_pictures, find_picture
from nnunet_reportseg.convert.table import Row, by_key, read_table
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry

_TABLE = "bus_data.csv"
_ID, _CATEGORY, _SIDE = "ID", "BIRADS", "Side"
_CATEGORIES = {
    "2": "benign",
    "3": "probably benign",
    "4": "suspicious",
    "5": "highly suggestive of malignancy",
}


def read_busbra(folder: Path) -> SourceDataset:
    """Find the cases of the table.

    Args:
        folder: The folder that holds ``bus_data.csv``.

    Raises:
        DatasetError: The table cannot be used, has a category other than 2 to 5, or a picture is missing.
    """
    require_folder(folder)
    table = folder / _TABLE
    rows = by_key(read_table(table, (_ID, _CATEGORY)), _ID, table)
    cases = []
    for case, row in rows.items():
        image = find_picture(folder / "Images", case)
        mask = find_picture(folder / "Masks", case.replace("bus_", "mask_", 1))
        if image is None or mask is None:
            missing = folder / ("Images" if image is None else "Masks")
            raise DatasetError.about(
                "the case has no picture", case=case, file=missing, fix="fetch the whole release, or remove the row"
            )
        entry = CaseEntry(report=_report(row, case, table), origin="template")
        convert = partial(convert_pictures, case=case, image=image, mask=mask, entry=entry)
        cases.append(SourceCase(case, (image, mask), entry, convert))
    return SourceDataset(
        converter="busbra",
        cases=cases,
        file_ending=".png",
        description="Breast ultrasound. Templated reports: filled from BI-RADS category and side, not written by a "
        "radiologist",
        reference="https://doi.org/10.5281/zenodo.8231412 (Medical Physics 2024)",
        licence="CC BY 4.0; see the page of BUS-BRA",
        channels=("ultrasound",),
        labels={"finding": (1,)},
    )


def _report(row: Row, case: str, table: Path) -> str:
    category = row[_CATEGORY].upper().removeprefix("BI-RADS").strip()
    if category not in _CATEGORIES:
        raise DatasetError.about(
            f"'{_CATEGORY}' is none of {', '.join(_CATEGORIES)}",
            case=case,
            file=table,
            value=row[_CATEGORY],
            fix="correct it",
        )
    side = row.get(_SIDE, "").casefold()
    if side not in ("", "left", "right"):
        raise DatasetError.about(
            f"'{_SIDE}' is neither left nor right",
            case=case,
            file=table,
            value=side,
            fix="correct it, or leave it empty",
        )
    breast = f"{side} breast" if side else "breast"
    return f"FINDINGS: Lesion in the {breast}.\nIMPRESSION: BI-RADS category {category}, {_CATEGORIES[category]}."
