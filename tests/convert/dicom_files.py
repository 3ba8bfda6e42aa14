"""Writes a DICOM series of the phantom, oblique, and spoils it in the ways that scanners and archives do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.dicom_series import locale_kept
from tests.convert.phantom import ct_voxels

# Columns: directions (LPS) of x, y and of the slices, turned about two axes.
DIRECTION = np.array([[0.98, -0.17, 0.1], [0.199, 0.83, -0.5], [0, 0.53, 0.86]])
DIRECTION, _ = np.linalg.qr(DIRECTION)
if np.linalg.det(DIRECTION) < 0:
    DIRECTION[:, 2] *= -1
SPACING = (0.8, 1.1, 2.5)
ORIGIN = (-31.0, 17.0, 205.0)


def volume() -> sitk.Image:
    image = sitk.GetImageFromArray(ct_voxels().T.copy())
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    image.SetDirection(DIRECTION.ravel().tolist())
    return image


def write_series(
    folder: Path,
    *,
    series: str = "1.2.826.0.1.3680043.2.1125.7",
    image: sitk.Image | None = None,
    shift: tuple[float, float, float] = (0, 0, 0),
    reverse: bool = False,
) -> Path:
    """Write one file per slice, in an order of names that is not the order in space.

    Args:
        folder: Where the files go.
        series: Series Instance UID.
        image: What is written; the phantom by default.
        shift: How far each slice lies from where it would lie straight above the one before, in mm (LPS).
        reverse: Names and instance numbers run from the last slice in space to the first.
    """
    image = volume() if image is None else image
    folder.mkdir(parents=True, exist_ok=True)
    orientation = np.asarray(image.GetDirection()).reshape(3, 3)[:, :2].T.ravel()
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    number = image.GetSize()[2]
    for index in range(number):
        place = np.asarray(image.TransformIndexToPhysicalPoint((0, 0, index))) + index * np.asarray(shift)
        part = image[:, :, index]
        place_in_names = number - 1 - index if reverse else (7 * index) % number
        tags = {
            "0008|0060": "CT",
            "0008|0018": f"{series}.{index + 1}",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.1",
            "0020|000e": series,
            "0020|0013": str(number - index if reverse else index + 1),
            "0020|0032": "\\".join(f"{number:.6f}" for number in place),
            "0020|0052": "1.2.826.0.1.3680043.2.1125.2",
            "0020|0037": "\\".join(f"{number:.6f}" for number in orientation),
            "0028|1052": "-1024",
            "0028|1053": "1",
        }
        for tag, value in tags.items():
            part.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{series[-1]}_{place_in_names}.dcm"))
        with locale_kept():
            writer.Execute(part)
    return folder
