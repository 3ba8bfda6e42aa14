"""A label file on the grid of its image, for masks that come as arrays: the header is the image's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.image_errors import reading_errors, reason, require_stated_sizes, require_volume

_ROUNDING = 1e-3  # of numbers that the file scales
_WHOLE = "write whole numbers from 0, and resample masks with nearest neighbour"


def read_volume(file: Path, *, case: str) -> Any:
    """Open a NIfTI file that must hold a whole volume with one number per voxel.

    Raises:
        DatasetError: It is missing, cannot be read, ends too early, or holds something else.
    """
    image = read_nifti(file, case=case)
    require_stated_sizes([file], case=case)
    try:
        require_volume(len(image.shape), max(1, len(image.get_data_dtype())), allowed=(3,))
    except ValueError as error:
        raise _unreadable(error, case, file) from error
    return image


def read_nifti(file: Path, *, case: str) -> Any:
    """Open a NIfTI file; voxels are read when they are asked for, in the order of the file (X, Y, Z).

    Raises:
        DatasetError: It is missing or cannot be read.
    """
    import nibabel

    try:
        return nibabel.load(file)  # type: ignore[attr-defined]
    except reading_errors() as error:
        raise _unreadable(error, case, file) from error


def stored_voxels(image: Any, *, case: str, file: Path) -> NDArray[Any]:
    """The voxels of an opened file.

    Raises:
        DatasetError: They cannot be read.
    """
    try:
        return np.asarray(image.dataobj)
    except reading_errors() as error:
        raise _unreadable(error, case, file) from error


def mask_voxels(image: Any, *, case: str, file: Path) -> NDArray[Any]:
    """The voxels of an opened file that must be numbers of masks or instances: whole and not negative.

    Raises:
        DatasetError: They cannot be read, or one is no such number.
    """
    voxels = stored_voxels(image, case=case, file=file)
    if voxels.dtype.kind in "bu":
        return voxels
    if voxels.dtype.kind not in "if":
        raise DatasetError.about(
            "the mask has no single number per voxel", case=case, file=file, value=str(voxels.dtype), fix=_WHOLE
        )
    whole = voxels if voxels.dtype.kind == "i" else np.rint(voxels)
    wrong = ~(np.abs(voxels - whole) < _ROUNDING) | (whole < 0)  # True for NaN
    if wrong.any():
        raise DatasetError.about(
            f"{int(wrong.sum())} voxels of the mask are no whole numbers from 0",
            case=case,
            file=file,
            value=float(voxels[wrong][0]),
            fix=_WHOLE,
        )
    return whole


def write_label_like(image: Any, label: NDArray[np.uint16], file: Path) -> None:
    """Write a label map with the header of an image: its affine in every form that the header holds, its units.

    Args:
        image: The opened image.
        label: Label values in the order of the file, of the image's shape.
        file: The file to write.
    """
    import nibabel

    kind = np.uint8 if label.max(initial=0) <= np.iinfo(np.uint8).max else np.uint16
    header = image.header.copy()
    header.set_data_dtype(kind)
    header["cal_min"] = header["cal_max"] = 0
    nibabel.save(type(image)(label.astype(kind), None, header), file)  # type: ignore[attr-defined]


def _unreadable(error: Exception, case: str, file: Path) -> DatasetError:
    return DatasetError.about(
        f"not a readable NIfTI file ({reason(error)})", case=case, file=file, fix="fetch the file again"
    )
