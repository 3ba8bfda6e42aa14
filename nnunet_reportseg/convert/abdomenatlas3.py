"""``abdomenatlas3``: abdominal CT with reports that RadGPT wrote from the masks.

Source: Bassi et al., "RadGPT: Constructing 3D Image-Text Tumor Datasets", ICCV 2025,
https://huggingface.co/datasets/AbdomenAtlas/AbdomenAtlas3.0Mini.

::

    BDMAP_00000001/ct.nii.gz   BDMAP_00000001/segmentations/liver_lesion.nii.gz, ...
    table: BDMAP ID, structured report, narrative report

The reports state sizes, places and counts that were measured on the masks: they can give the masks away. Each entry
of the sidecar says so (``"origin": "masks"``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.convert.case import CaseTarget, Converted, SourceCase, SourceDataset
from nnunet_reportseg.convert.nifti_label import mask_voxels, read_nifti, read_volume, write_label_like
from nnunet_reportseg.convert.report_texts import require_words
from nnunet_reportseg.convert.table import by_key, read_table
from nnunet_reportseg.convert.volumes import place_file
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry

_ENDING = ".nii.gz"
_ID = "BDMAP ID"
_MOST_MASKS = 8  # every combination of masks has a value of its own, 255 of them for 8
LESIONS = ("liver_lesion", "kidney_lesion", "pancreatic_lesion")


def read_abdomenatlas3(
    folder: Path, table: Path, *, kind: str = "narrative", masks: Sequence[str] = LESIONS
) -> SourceDataset:
    """Find the cases: the folders of the release.

    Args:
        folder: The folder that holds ``BDMAP_...``.
        table: The table of reports.
        kind: ``narrative`` or ``structured``.
        masks: Names of the masks that become labels; a case may lack one, but not all of them.

    Raises:
        DatasetError: A folder holds no case, the table cannot be used, or a case has no report, CT or mask.
    """
    if not 1 <= len(masks) <= _MOST_MASKS or len(set(masks)) < len(masks):
        raise DatasetError.about(
            f"give 1 to {_MOST_MASKS} masks, each once", value=list(masks), fix="name fewer masks (--mask)"
        )
    column = f"{kind} report"
    rows = by_key(read_table(table, (_ID, column)), _ID, table)
    folders = sorted(path for path in folder.glob("BDMAP_*") if path.is_dir())
    if not folders:
        raise DatasetError.about("no BDMAP_ folder", file=folder, fix="name the folder that holds them")
    cases = []
    for place in folders:
        case = place.name
        if case not in rows:
            raise DatasetError.about("the table has no report", case=case, file=table, fix="take the folder away")
        entry = CaseEntry(report=require_words(rows[case][column], case=case, file=table), origin="masks")
        files = {name: place / "segmentations" / f"{name}{_ENDING}" for name in masks}
        present = [file for file in files.values() if file.is_file()]
        ct = place / f"ct{_ENDING}"
        if not ct.is_file() or not present:
            raise DatasetError.about(
                "the CT is missing" if present else f"none of the masks {', '.join(masks)} is there",
                case=case,
                file=place,
                fix="fetch it, take the folder away, or name other masks (--mask)",
            )
        convert = partial(_convert, case=case, ct=ct, files=list(files.values()), entry=entry)
        cases.append(SourceCase(case, (ct, *present), entry, convert))
    return SourceDataset(
        converter="abdomenatlas3",
        cases=cases,
        file_ending=_ENDING,
        description=f"Abdominal CT. The {kind} reports were written from the masks by RadGPT: their sizes, places and "
        "counts can give the masks away",
        reference="https://huggingface.co/datasets/AbdomenAtlas/AbdomenAtlas3.0Mini (RadGPT, ICCV 2025)",
        licence="CC BY-NC-SA 4.0; see the page of the release",
        labels=_labels(masks),
    )


def _labels(masks: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Values of each mask: bit i of a value says whether mask i holds the voxel, the mask's own value first."""
    values = range(1, 2 ** len(masks))
    return {
        name: (1 << i, *(value for value in values if value >> i & 1 and value != 1 << i))
        for i, name in enumerate(masks)
    }


def _convert(target: CaseTarget, *, case: str, ct: Path, files: Sequence[Path], entry: CaseEntry) -> Converted:
    image = read_volume(ct, case=case)
    label = np.zeros(image.shape, np.uint16)
    for i, file in enumerate(files):
        if file.is_file():
            label |= _mask(image, file, case).astype(np.uint16) << i
    place_file(ct, target.image(), copy=target.copy)
    write_label_like(image, label, target.label)
    missing = [file.name for file in files if not file.is_file()]
    notes = (f"no file {', '.join(missing)}",) if missing else ()
    return Converted(entry, frozenset(np.unique(label[label > 0]).tolist()), notes)


def _mask(image: Any, file: Path, case: str) -> NDArray[np.bool_]:
    mask = read_nifti(file, case=case)
    if mask.shape != image.shape or not np.allclose(mask.affine, image.affine, atol=1e-3):
        raise DatasetError.about(
            f"CT and mask differ in shape or affine (the CT: {image.shape})",
            case=case,
            file=file,
            value=mask.shape,
            fix="fetch both of the same release",
        )
    return mask_voxels(mask, case=case, file=file) > 0
