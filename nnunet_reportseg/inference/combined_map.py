"""The masks of a case's findings as one label map, in which overlaps have values of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.combined_findings import combine
from nnunet_reportseg.finding_files import COMBINED_FILE


def write_combined(folder: Path, masks: Mapping[str, Path]) -> dict[str, Any]:
    """Write ``combined.nii.gz`` on the grid of the masks.

    Args:
        folder: where it goes.
        masks: for each finding its NIfTI file, all on one grid.

    Returns:
        The entry of the index: ``file``, and ``values``, which lists for each value of the map the findings that cover
        its voxels.
    """
    images = [sitk.ReadImage(str(file)) for file in masks.values()]
    label, values = combine(np.stack([sitk.GetArrayViewFromImage(image) != 0 for image in images]))
    combined = sitk.GetImageFromArray(label)
    combined.CopyInformation(images[0])
    sitk.WriteImage(combined, str(folder / COMBINED_FILE), True)
    covering: dict[int, list[str]] = {}
    for finding, held in zip(masks, values, strict=True):
        for value in held:
            covering.setdefault(value, []).append(finding)
    return {"file": COMBINED_FILE, "values": {str(value): covering[value] for value in sorted(covering)}}
