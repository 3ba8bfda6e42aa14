"""Where lesions may lie in the roomy chest, so that a patch on a lesion shows as little of the chest as was asked for.

The clear margin: the box that reaches this far from each voxel of a lesion lies wholly inside its lung and, its own
lesion aside, holds lung only. A patch that is one voxel longer than the margin and touches the lesion then shows
neither the midline nor the body's edge, nor the border of the lung, nor another lesion.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from nnunet_reportseg.data.phantom_chest import Chest
from nnunet_reportseg.data.phantom_lesions import LesionKernel
from nnunet_reportseg.data.sites import Side, Site

Margin = tuple[int, int, int]
Centre = tuple[int, int, int]


class NoRoomError(Exception):
    """No place is left for a lesion; the caller knows the shape and words the message."""


def place_at_sites(
    chest: Chest,
    sites: Sequence[Site],
    kernels: Sequence[LesionKernel],
    margin: Margin | None,
    rng: np.random.Generator,
    *,
    whole: bool,
) -> list[Centre]:
    """A centre for each lesion at its site; a lung has two sites, so two at most.

    Args:
        chest: The chest.
        sites: A site for each lesion.
        kernels: The lesions.
        margin: The clear margin, or None.
        rng: Source of the places.
        whole: Whether a lesion lies in its half of its lung as a whole, or its centre only.

    Raises:
        NoRoomError: A site has no room, or the two sites of a lung have none together.
    """
    rooms = []
    for site, kernel in zip(sites, kernels, strict=True):
        half, lung = chest.site_masks[site], _lung(chest, site.side)
        clear = half & _clear_of_border(lung, kernel, margin)
        rooms.append(np.argwhere(clear & _inside(half if whole else lung, kernel)))
        if not len(rooms[-1]):
            raise NoRoomError
    for i, site in enumerate(sites):
        for j in range(len(sites)):
            if j != i and sites[j].side == site.side:
                apart = _distance(kernels[i], kernels[j], margin or (0, 0, 0))
                rooms[i] = rooms[i][_some_far(rooms[i], rooms[j], apart)]
                if not len(rooms[i]):
                    raise NoRoomError
        rooms[i] = rooms[i][rng.integers(len(rooms[i]))][None]
    return [_pick(room, rng) for room in rooms]


def place_mirrored(chest: Chest, kernel: LesionKernel, margin: Margin | None, rng: np.random.Generator) -> list[Centre]:
    """Two centres, left and right, that are mirror images of each other about the patient's midline.

    Raises:
        NoRoomError: There is no such pair.
    """
    sides: tuple[Side, ...] = ("left", "right")
    left, right = (
        _inside(_lung(chest, side), kernel) & _clear_of_border(_lung(chest, side), kernel, margin) for side in sides
    )
    found = np.argwhere(left)
    mirrored = np.stack([found[:, 0], found[:, 1], chest.mirror - found[:, 2]], axis=1)
    inside = (mirrored[:, 2] >= 0) & (mirrored[:, 2] < right.shape[2])
    found, mirrored = found[inside], mirrored[inside]
    pairs = found[right[tuple(mirrored.T)]]
    if not len(pairs):
        raise NoRoomError
    z, y, x = _pick(pairs, rng)
    return [(z, y, x), (z, y, chest.mirror - x)]


def _lung(chest: Chest, side: Side) -> np.ndarray:
    return chest.site_masks[Site(side, "upper")] | chest.site_masks[Site(side, "lower")]


def _inside(region: np.ndarray, kernel: LesionKernel) -> np.ndarray:
    """Centres at which the lesion, its soft edge included, is inside the region."""
    return ndimage.binary_erosion(region, structure=kernel.footprint)


def _clear_of_border(lung: np.ndarray, kernel: LesionKernel, margin: Margin | None) -> np.ndarray:
    if margin is None:
        return np.ones_like(lung)
    core = ndimage.minimum_filter(lung, size=[2 * reach + 1 for reach in margin], mode="constant", cval=0)
    return ndimage.binary_erosion(core, structure=kernel.mask)


def _distance(one: LesionKernel, other: LesionKernel, margin: Margin) -> np.ndarray:
    """Largest distance of two centres, along each axis, at which a lesion may still show in the box of the other."""
    return one.reach + other.reach + np.asarray(margin) + 1  # one voxel of soft edge


def _some_far(centres: np.ndarray, others: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """For each centre, whether at least one of the others is farther away than this along an axis."""
    low, high = others.min(axis=0), others.max(axis=0)
    return ((high - centres > apart) | (centres - low > apart)).any(axis=1)


def _pick(found: np.ndarray, rng: np.random.Generator) -> Centre:
    z, y, x = (int(i) for i in found[rng.integers(len(found))])
    return z, y, x
