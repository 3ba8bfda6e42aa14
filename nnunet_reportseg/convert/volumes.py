"""Volumes of a case: images are linked or copied as they are, labels must lie on the grid of their image."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_reportseg.convert.case import CaseTarget, Converted
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.grid import Grid
from nnunet_reportseg.image_errors import (
    path_for_reader,
    reading_errors,
    reason,
    require_stated_sizes,
    require_volume,
    require_whole,
)
from nnunet_reportseg.label_map import MAX_LABEL_VALUE
from nnunet_reportseg.sidecar import CaseEntry

VOLUME_ENDINGS = (".nii.gz", ".nrrd", ".mha", ".gipl")  # read by nnU-Net's SimpleITKIO, images and labels alike


def place_file(source: Path, target: Path, *, copy: bool) -> None:
    """Copy a file, or link to it; its content stays as it is.

    Args:
        source: The file.
        target: The new name.
        copy: Copy rather than link.
    """
    if copy:
        shutil.copyfile(source, target)
    else:
        os.symlink(source.resolve(), target)


def convert_volumes(
    target: CaseTarget, *, case: str, images: Sequence[Path], label: Path, entry: CaseEntry, binary: bool = False
) -> Converted:
    """Put the volumes of a case into place.

    Args:
        target: Where they go.
        case: Case identifier, for messages.
        images: One file per channel; a folder is a DICOM series, which is written as a file.
        label: The label file.
        entry: The case's entry in the sidecar.
        binary: The label is a mask: every value above 0 becomes 1.

    Raises:
        DatasetError: A file cannot be read, grids differ, or the label holds a voxel that is no label value.
    """
    notes = []
    for channel, image in enumerate(images):
        if image.is_dir():
            from nnunet_reportseg.dicom_series import read_dicom_series

            _write(read_dicom_series(image, case=case), target.image(channel))
            notes.append(f"DICOM series {image.name} written as {target.ending}")
        else:
            require_stated_sizes([image], case=case)
            place_file(image, target.image(channel), copy=target.copy)
    first = grid_of(target.image(), case=case, file=images[0])
    for channel, image in enumerate(images[1:], start=1):
        _require_grid(first, grid_of(target.image(channel), case=case, file=image), "image channels", case, image)
    mask = _read(label, case=case, file=label)
    _require_grid(first, Grid.of_image(mask), "image and label", case, label)
    values = _label_values(mask, case=case, file=label)
    if binary and values - {1}:
        import SimpleITK as sitk

        _write(sitk.Cast(mask > 0, sitk.sitkUInt8), target.label)
        notes.append(f"mask values {sorted(values)} written as 1")
        values = frozenset({1})
    else:
        place_file(label, target.label, copy=target.copy)
    return Converted(entry, values, tuple(notes))


def grid_of(placed: Path, *, case: str, file: Path) -> Grid:
    """The grid of an image, from its header alone.

    Args:
        placed: The image.
        case: Case identifier, for messages.
        file: Where it came from, for messages.

    Raises:
        DatasetError: The header cannot be read, or is not that of a volume.
    """
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    try:
        reader.SetFileName(path_for_reader(placed))
        reader.ReadImageInformation()
        require_volume(reader.GetDimension(), reader.GetNumberOfComponents())
    except reading_errors() as error:
        raise _unreadable(error, case, file) from error
    return Grid.of_image(reader)


def _read(placed: Path, *, case: str, file: Path) -> Any:
    import SimpleITK as sitk

    try:
        require_whole(placed)
        return sitk.ReadImage(path_for_reader(placed))
    except reading_errors() as error:
        raise _unreadable(error, case, file) from error


def _write(image: Any, file: Path) -> None:
    import SimpleITK as sitk

    sitk.WriteImage(image, str(file), True)


def _unreadable(error: Exception, case: str, file: Path) -> DatasetError:
    return DatasetError.about(
        f"not a readable image ({reason(error)})", case=case, file=file, fix="check the file; it may be damaged"
    )


def _require_grid(one: Grid, other: Grid, what: str, case: str, file: Path) -> None:
    difference = one.difference(other)
    if difference is not None:
        raise DatasetError.about(
            f"{what} differ in {difference}", case=case, file=file, fix="bring both onto the image's grid"
        )


def _label_values(mask: Any, *, case: str, file: Path) -> frozenset[int]:
    import SimpleITK as sitk

    values = np.unique(sitk.GetArrayViewFromImage(mask))
    wrong = values[~((values == np.rint(values)) & (values >= 0) & (values <= MAX_LABEL_VALUE))]
    if mask.GetNumberOfComponentsPerPixel() != 1 or wrong.size:
        raise DatasetError.about(
            "the label file holds voxels that are no label values",
            case=case,
            file=file,
            value=wrong[:1].tolist(),
            fix=f"write one whole number from 0 to {MAX_LABEL_VALUE} per voxel",
        )
    return frozenset(int(value) for value in values if value)
