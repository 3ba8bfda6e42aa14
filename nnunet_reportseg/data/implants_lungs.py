"""Finds the two lungs in a CT and divides each into an upper and a lower part.

Threshold, connected components and a short erosion that parts the lungs from each other and from the airway. Left and
right come from patient space, so any orientation of the file works. A given lung mask replaces the threshold.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from nnunet_reportseg.data.ct_volume import physical_axis
from nnunet_reportseg.data.sites import SITES, Side, Site
from nnunet_reportseg.errors import DatasetError

AIR_BELOW_HU = -400
AIRWAY_BELOW_HU = -940
MIN_AIRWAY_ML = 5.0
LUNG_MEAN_HU = (-930, -550)
MIN_LUNG_ML = 300.0
MIN_DISTANCE_MM = 60.0  # between the centres of the lungs, left to right
MAX_EROSIONS = 5
MIDDLE_ZONE = 0.2  # of a lung's height, around its middle: a reader would call a nodule there neither upper nor lower


def find_lungs(image: sitk.Image, source: Path, mask: sitk.Image | None = None) -> dict[Side, np.ndarray]:
    """The boolean array (z, y, x) of each lung, vessels inside the lung included.

    Args:
        image: CT in HU.
        source: The file it came from, for messages.
        mask: Lungs (nonzero) on the same grid; None finds them by threshold.

    Raises:
        DatasetError: There are no two lungs of plausible size.
    """
    hu = sitk.GetArrayFromImage(image)
    if mask is None:
        air = _inner_air(hu < AIR_BELOW_HU, image)
    else:
        air = sitk.GetArrayFromImage(mask) > 0
    x = physical_axis(image, 0)
    voxel_ml = float(np.prod(image.GetSpacing())) / 1000
    if mask is None:
        air = air & ~_airway(hu, air, voxel_ml)
    core = air
    for erosions in range(MAX_EROSIONS + 1):
        if erosions:
            core = ndimage.binary_erosion(core)
        seeds = _two_lungs(core, hu, x, voxel_ml, check_hu=mask is None)
        if seeds is not None:
            lungs = _grow_back(seeds, air, erosions, image.GetSpacing())
            if min(lung.sum() for lung in lungs.values()) * voxel_ml >= MIN_LUNG_ML:
                return lungs
    raise DatasetError.about(
        f"no two lungs of at least {MIN_LUNG_ML:.0f} ml found",
        file=source,
        fix="give a chest CT in HU that shows both lungs whole, or a lung mask",
    )


def split_by_level(lungs: dict[Side, np.ndarray], image: sitk.Image) -> dict[Site, np.ndarray]:
    """The upper and the lower part of each lung in patient space; the middle zone belongs to neither."""
    height = physical_axis(image, 2)
    sites = {}
    for site in SITES:
        lung = lungs[site.side]
        inside = height[lung]
        lowest, highest = float(inside.min()), float(inside.max())
        share = (height - lowest) / max(highest - lowest, np.finfo(float).tiny)
        part = share > (1 + MIDDLE_ZONE) / 2 if site.level == "upper" else share < (1 - MIDDLE_ZONE) / 2
        sites[site] = lung & part
    return sites


def _inner_air(air: np.ndarray, image: sitk.Image) -> np.ndarray:
    """Drop components that touch a face of the volume, except its top and bottom: lungs may be cut there."""
    labels, _ = ndimage.label(air)
    vertical = 2 - int(np.argmax(np.abs(np.asarray(image.GetDirection()).reshape(3, 3)[2])))
    outside: set[int] = {0}
    for axis in range(3):
        if axis != vertical:
            for face in (0, -1):
                outside.update(np.unique(labels.take(face, axis=axis)).tolist())
    return ~np.isin(labels, sorted(outside))


def _airway(hu: np.ndarray, air: np.ndarray, voxel_ml: float) -> np.ndarray:
    """Trachea and main bronchi with their walls (and large bullae): air without lung in it."""
    labels, _ = ndimage.label(ndimage.binary_opening(air & (hu < AIRWAY_BELOW_HU)))
    sizes = np.bincount(labels.ravel()) * voxel_ml
    sizes[0] = 0
    return np.asarray(ndimage.binary_dilation(sizes[labels] >= MIN_AIRWAY_ML, iterations=2))


def _two_lungs(
    core: np.ndarray, hu: np.ndarray, x: np.ndarray, voxel_ml: float, *, check_hu: bool
) -> dict[Side, np.ndarray] | None:
    labels, count = ndimage.label(core)
    if count < 2:
        return None
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    found = []
    for index in np.argsort(-sizes)[:4]:
        if sizes[index] * voxel_ml < MIN_LUNG_ML / 6:
            continue
        part = labels == index
        if not check_hu or LUNG_MEAN_HU[0] <= hu[part].mean() <= LUNG_MEAN_HU[1]:
            found.append((float(x[part].mean()), part))
    if len(found) < 2:
        return None
    (first_x, first), (second_x, second) = found[:2]
    if abs(first_x - second_x) < MIN_DISTANCE_MM or second.sum() < first.sum() / 5:
        return None
    # LPS: the larger x is the patient's left.
    return {"left": first, "right": second} if first_x > second_x else {"left": second, "right": first}


def _grow_back(
    seeds: dict[Side, np.ndarray], air: np.ndarray, erosions: int, spacing_xyz: tuple[float, ...]
) -> dict[Side, np.ndarray]:
    """Undo the erosion without entering the other lung, then take in the vessels."""
    sampling = spacing_xyz[::-1]
    left = ndimage.distance_transform_edt(~seeds["left"], sampling=sampling)
    right = ndimage.distance_transform_edt(~seeds["right"], sampling=sampling)
    nearer: dict[Side, np.ndarray] = {"left": left < right, "right": right < left}
    lungs: dict[Side, np.ndarray] = {}
    for side, seed in seeds.items():
        allowed = air & nearer[side]
        grown = ndimage.binary_dilation(seed, iterations=erosions, mask=allowed) if erosions else seed
        closed = ndimage.binary_closing(np.pad(grown, 3), iterations=2)[3:-3, 3:-3, 3:-3]
        lungs[side] = ndimage.binary_fill_holes(closed & nearer[side])
    return lungs
