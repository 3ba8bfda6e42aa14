"""Brings a real nodule onto the grid of a CT and blends it into lung.

The nodule's mask, sampled softly, is its opacity: one at the core, falling to zero over about a voxel. Outside the
mask the nodule's own edge values are continued, so neither the surroundings nor the edge of its cut-out are copied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from nnunet_reportseg.data.ct_volume import smooth_for
from nnunet_reportseg.data.implants_nodules import Nodule

LABEL_ABOVE = 0.5


@dataclass(frozen=True)
class RenderedNodule:
    """A nodule on the grid of a volume; the middle voxel of the arrays is its centre.

    Attributes:
        nodule: Where it comes from.
        hu: Array (z, y, x), in HU, continued beyond the mask.
        opacity: Array of the same shape in [0, 1].
        mask: The labelled voxels.
        radius_mm: Distance of the farthest labelled voxel from the centre.
    """

    nodule: Nodule
    hu: np.ndarray
    opacity: np.ndarray
    mask: np.ndarray
    radius_mm: float


def render(nodule: Nodule, volume: sitk.Image) -> RenderedNodule | None:
    """Sample a nodule at the volume's spacing and direction; None if no voxel remains or the volume is smaller."""
    inside = np.argwhere(sitk.GetArrayViewFromImage(nodule.mask) > 0)
    corners = np.stack([inside.min(axis=0), inside.max(axis=0)])[:, ::-1]
    centre = np.asarray(nodule.mask.TransformContinuousIndexToPhysicalPoint(inside.mean(axis=0)[::-1].tolist()))
    extent = np.linalg.norm((corners[1] - corners[0] + 1) * np.asarray(nodule.mask.GetSpacing()))
    if extent > np.linalg.norm(np.multiply(volume.GetSize(), volume.GetSpacing())):
        return None
    spacing = _spacing_along(nodule.image, volume)
    soft_mask = smooth_for(sitk.Cast(nodule.mask > 0, sitk.sitkFloat32), spacing)
    soft_image = smooth_for(sitk.Cast(nodule.image, sitk.sitkFloat32), spacing)
    half = [int(np.ceil(extent / 2 / step)) + 2 for step in volume.GetSpacing()]
    grid = sitk.Image([2 * n + 1 for n in half], sitk.sitkFloat32)
    grid.SetSpacing(volume.GetSpacing())
    grid.SetDirection(volume.GetDirection())
    matrix = np.asarray(volume.GetDirection()).reshape(3, 3)
    grid.SetOrigin((centre - matrix @ (np.asarray(half) * np.asarray(volume.GetSpacing()))).tolist())
    opacity = sitk.GetArrayFromImage(sitk.Resample(soft_mask, grid, sitk.Transform(), sitk.sitkLinear, 0.0))
    hu = sitk.GetArrayFromImage(sitk.Resample(soft_image, grid, sitk.Transform(), sitk.sitkLinear, -1000.0))
    mask = _largest_part(opacity > LABEL_ABOVE)
    if not mask.any():
        return None
    sampling = volume.GetSpacing()[::-1]
    away, nearest = ndimage.distance_transform_edt(~mask, sampling=sampling, return_indices=True)
    # Islands of the mask that lost their label must not show either.
    opacity = np.where(away <= 2 * max(sampling), np.clip(opacity, 0, 1), 0)
    offsets = (np.argwhere(mask) - np.asarray(half)[::-1]) * np.asarray(sampling)
    return RenderedNodule(nodule, hu[tuple(nearest)], opacity, mask, float(np.linalg.norm(offsets, axis=1).max()))


def box_of(
    rendered: RenderedNodule, centre: tuple[int, int, int], shape: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices into the volume and into the rendered arrays; the box may leave the volume."""
    grid, own = [], []
    for c, size, length in zip(centre, rendered.mask.shape, shape, strict=True):
        start = c - size // 2
        low, high = max(start, 0), min(start + size, length)
        grid.append(slice(low, high))
        own.append(slice(low - start, high - start))
    return tuple(grid), tuple(own)


def paste(
    hu: np.ndarray, lesion_map: np.ndarray, rendered: RenderedNodule, centre: tuple[int, int, int], value: int
) -> None:
    """Blend a nodule into ``hu`` and write its voxels to ``lesion_map``, both in place."""
    grid, own = box_of(rendered, centre, hu.shape)
    opacity = rendered.opacity[own]
    hu[grid] = hu[grid] * (1 - opacity) + rendered.hu[own] * opacity
    lesion_map[grid][rendered.mask[own]] = value


def _spacing_along(source: sitk.Image, target: sitk.Image) -> list[float]:
    """Spacing of the target along each axis of the source."""
    a = np.asarray(source.GetDirection()).reshape(3, 3)
    b = np.asarray(target.GetDirection()).reshape(3, 3)
    nearest = np.abs(a.T @ b).argmax(axis=1)
    return [target.GetSpacing()[int(j)] for j in nearest]


def _largest_part(mask: np.ndarray) -> np.ndarray:
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())
