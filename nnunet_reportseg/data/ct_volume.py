"""Reads CT volumes and brings them to a spacing, in whatever orientation they were stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.paired_options import require_moderate_size
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.grid import Grid
from nnunet_reportseg.image_errors import path_for_reader, reading_errors, reason

SUFFIXES = (".nii.gz", ".nii", ".mha", ".nrrd")
HU_RANGE = (-1024, 3071)


def volume_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Expand folders to the image files in them, sorted by name; a file that is named twice counts once.

    Raises:
        DatasetError: A path does not exist or a folder holds no image.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.name.endswith(SUFFIXES))
            if not found:
                raise DatasetError.about("no image in the folder", file=path, fix=f"put {', '.join(SUFFIXES)} there")
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise DatasetError.about("no such file or folder", file=path, fix="check the path")
    if not files:
        raise DatasetError.about("no volume given", fix="name at least one file or folder of CT volumes")
    return tuple({file.resolve(): file for file in files}.values())


def read_image(path: Path) -> sitk.Image:
    """Read a 3D image.

    Raises:
        DatasetError: The file cannot be read, is not 3D, or has other voxels than one finite number each.
    """
    try:
        image = sitk.ReadImage(path_for_reader(path))
    except reading_errors() as error:
        raise DatasetError.about(
            f"not a readable image ({reason(error)})", file=path, fix="check the file or leave it out"
        ) from error
    if image.GetDimension() != 3:
        raise DatasetError.about("not a 3D image", file=path, value=image.GetSize(), fix="give one 3D volume per file")
    channels = image.GetNumberOfComponentsPerPixel()
    if channels != 1:
        raise DatasetError.about("an image of several channels", file=path, value=channels, fix="keep one channel")
    if not np.isfinite(sitk.GetArrayViewFromImage(image)).all():
        raise DatasetError.about("voxels are NaN or infinite", file=path, fix="replace them; air has -1000 HU")
    return image


def read_image_on(reference: sitk.Image, path: Path) -> sitk.Image:
    """Read a 3D image that must lie on the grid of another one, such as its mask.

    Raises:
        DatasetError: As for `read_image`, or the grids differ.
    """
    image = read_image(path)
    difference = Grid.of_image(image).difference(Grid.of_image(reference))
    if difference is not None:
        raise DatasetError.about(
            f"the mask and its image differ in {difference}", file=path, fix="resample the mask onto the image's grid"
        )
    return image


def resample(
    image: sitk.Image,
    spacing_mm: tuple[float, float, float] | None,
    *,
    labels: bool = False,
    source: Path | None = None,
) -> sitk.Image:
    """Resample to a spacing, keeping origin and direction; coarser axes are smoothed first.

    Args:
        image: The image.
        spacing_mm: Spacing in array order (z, y, x) of the file; None keeps the image's.
        labels: Nearest neighbour, no smoothing, type kept. Otherwise the result is HU as int16.
        source: The file it came from, for messages.

    Raises:
        DatasetError: The result would have too many voxels.
    """
    if spacing_mm is not None:
        new = tuple(float(step) for step in reversed(spacing_mm))
        old = image.GetSpacing()
        size = [max(1, round(n * a / b)) for n, a, b in zip(image.GetSize(), old, new, strict=True)]
        require_moderate_size(tuple(reversed(size)), file=source)
        if not labels:
            image = smooth_for(sitk.Cast(image, sitk.sitkFloat32), new)
        how = sitk.sitkNearestNeighbor if labels else sitk.sitkLinear
        # Edge voxels may lie half a voxel outside the old grid: take the nearest value there, not air.
        image = sitk.Resample(
            image, size, sitk.Transform(), how, image.GetOrigin(), new, image.GetDirection(), 0.0,
            image.GetPixelID(), True,
        )  # fmt: skip
    if labels:
        return image
    hu = sitk.GetArrayFromImage(image)
    result = sitk.GetImageFromArray(np.clip(np.rint(hu), *HU_RANGE).astype(np.int16))
    result.CopyInformation(image)
    return result


def smooth_for(image: sitk.Image, spacing_xyz: Sequence[float]) -> sitk.Image:
    """Blur each axis that gets coarser, so that sampling it does not alias. Expects a float image."""
    for axis, (old, new) in enumerate(zip(image.GetSpacing(), spacing_xyz, strict=True)):
        if new > 1.2 * old and image.GetSize()[axis] >= 4:
            image = sitk.RecursiveGaussian(image, 0.4 * new, False, sitk.RecursiveGaussianImageFilter.ZeroOrder, axis)
    return image


def physical_axis(image: sitk.Image, axis: int) -> np.ndarray:
    """Patient-space coordinate (LPS, mm) of every voxel along one physical axis, as an array (z, y, x).

    Args:
        image: The image whose geometry counts.
        axis: 0 grows to the patient's left, 1 to posterior, 2 to superior.
    """
    row = np.asarray(image.GetDirection()).reshape(3, 3)[axis] * np.asarray(image.GetSpacing())
    x, y, z = (np.arange(n) * step for n, step in zip(image.GetSize(), row, strict=True))
    origin: float = image.GetOrigin()[axis]
    return np.asarray(origin + z[:, None, None] + y[None, :, None] + x[None, None, :])
