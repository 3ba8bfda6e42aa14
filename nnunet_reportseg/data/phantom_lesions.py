"""Lesions of the phantom: equal in size and look, so that only the report can tell which one is meant.

A lesion is a soft-edged ball centred on a voxel: every lesion of a dataset has the same voxels around its centre.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.phantom_anatomy import Anatomy
from nnunet_reportseg.data.sites import SITES
from nnunet_reportseg.errors import DatasetError

LESION_HU = 40.0
MIN_VOXELS = 25
MORE_ROOM = "choose a shape with more voxels per axis; 16 40 40 at a spacing of 10 8 8 mm works"
RADIUS_OF_EXTENT = 0.053  # of the smaller in-plane extent: 17 mm, 2.1 voxels, at the default shape and spacing


@dataclass(frozen=True)
class LesionKernel:
    """The one look of all lesions.

    Attributes:
        radius_mm: Radius of the labelled ball.
        mask: Boolean array of the labelled voxels around the centre.
        weight: Array of the same shape in [0, 1]: how much lesion each voxel shows.
    """

    radius_mm: float
    mask: np.ndarray
    weight: np.ndarray

    @property
    def footprint(self) -> np.ndarray:
        """The mask and one voxel around it: wherever the lesion, its soft edge included, shows."""
        return ndimage.binary_dilation(self.mask)

    @property
    def reach(self) -> np.ndarray:
        """How many voxels the mask goes from the centre along each axis (z, y, x), in the farther direction."""
        return np.abs(np.argwhere(self.mask) - np.array(self.mask.shape) // 2).max(axis=0)


def lesion_kernel(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> LesionKernel:
    """The kernel for a grid: a fixed part of the in-plane extent, never under 25 voxels.

    Raises:
        DatasetError: The volume is smaller than such a lesion.
    """
    radius = RADIUS_OF_EXTENT * min(shape[1] * spacing_mm[1], shape[2] * spacing_mm[2])
    return kernel_of_radius(radius, shape, spacing_mm)


def kernel_of_radius(
    radius: float, shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]
) -> LesionKernel:
    """The kernel of this radius in mm, or of the next one that has at least 25 voxels.

    Raises:
        DatasetError: The volume is smaller than such a lesion.
    """
    while True:
        if any(2 * radius > length * step for length, step in zip(shape, spacing_mm, strict=True)):
            raise DatasetError.about(
                f"no room for a lesion of radius {radius:.1f} mm in the phantom", value=shape, fix=MORE_ROOM
            )
        edge = min(spacing_mm)
        # One voxel of room on each side, so that eroding with the padded kernel keeps the soft edge in the lung.
        reach = [math.ceil((radius + edge) / step) for step in spacing_mm]
        axes = [np.arange(-n, n + 1) * step for n, step in zip(reach, spacing_mm, strict=True)]
        z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
        distance = np.sqrt(z**2 + y**2 + x**2)
        mask = distance <= radius
        if mask.sum() >= MIN_VOXELS:
            return LesionKernel(radius, mask, np.clip((radius + edge / 2 - distance) / edge, 0, 1))
        radius *= 1.05


def place_lesions(
    anatomy: Anatomy, kernel: LesionKernel, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, tuple[Lesion, ...]]:
    """Put lesions at ``count`` different sites, each fully inside its half of its lung.

    Returns:
        The HU array with lesions, the lesion map (uint8) and the lesions. Nothing given is changed.

    Raises:
        DatasetError: A site has no room for a lesion.
    """
    hu, lesion_map = anatomy.hu.copy(), np.zeros(anatomy.hu.shape, dtype=np.uint8)
    lesions = []
    for value, index in enumerate(sorted(rng.choice(len(SITES), size=count, replace=False)), start=1):
        site = SITES[index]
        centres = np.argwhere(ndimage.binary_erosion(anatomy.site_masks[site], structure=kernel.footprint))
        if not len(centres):
            raise DatasetError.about(
                f"no room for a lesion of radius {kernel.radius_mm:.1f} mm in the {site} lung of the phantom",
                value=anatomy.hu.shape,
                fix=MORE_ROOM,
            )
        z, y, x = (int(i) for i in centres[rng.integers(len(centres))])
        centre = (z, y, x)
        stamp(hu, lesion_map, centre, kernel, value)
        lesions.append(Lesion(value, site, centre, int(kernel.mask.sum())))
    return hu, lesion_map, tuple(lesions)


def stamp(
    hu: np.ndarray,
    lesion_map: np.ndarray,
    centre: Sequence[int],
    kernel: LesionKernel,
    value: int,
    *,
    lesion_hu: float = LESION_HU,
) -> None:
    """Blend one lesion into both arrays. The kernel's box may leave the volume where it holds no lesion."""
    box, part = _overlap(kernel.mask.shape, centre, hu.shape)
    weight = kernel.weight[part]
    hu[box] = hu[box] * (1 - weight) + lesion_hu * weight
    lesion_map[box][kernel.mask[part]] = value


def _overlap(
    size: Sequence[int], centre: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The part of the volume that a kernel around the centre covers, and the part of the kernel in the volume."""
    grid, own = [], []
    for c, extent, length in zip(centre, size, shape, strict=True):
        start = c - extent // 2
        low, high = max(start, 0), min(start + extent, length)
        grid.append(slice(low, high))
        own.append(slice(low - start, high - start))
    return tuple(grid), tuple(own)
