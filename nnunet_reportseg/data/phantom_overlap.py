"""The looks of a nodule and of a ground-glass opacity, and how they overlap where both lie at a site.

The opacity is a larger ball of lower density. Where both lie, its centre is shifted along the axis with the finest
voxels (of equally fine ones from front to back, where a lung has most room), so far that about half of the nodule lies
in the opacity: each has voxels of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data.finding_kinds import Kind
from nnunet_reportseg.data.phantom_lesions import LESION_HU, LesionKernel
from nnunet_reportseg.data.phantom_volumes import VolumePlan

DENSITY_HU: Mapping[Kind, float] = {Kind.NODULE: LESION_HU, Kind.OPACITY: -500.0}
OPACITY_RADIUS = 1.5  # in parts of the nodule's

Offset = tuple[int, int, int]


@dataclass(frozen=True)
class Occupant:
    """What lies at a site.

    Attributes:
        parts: For each kind its kernel and the offset of its centre (z, y, x), in the order in which they are drawn:
            the nodule covers the opacity.
    """

    parts: Mapping[Kind, tuple[LesionKernel, Offset]]

    @property
    def kernel(self) -> LesionKernel:
        """All of it as one lesion."""
        return _joined(self.parts.values())


@dataclass(frozen=True)
class Occupants:
    """What may lie at a site.

    Attributes:
        alone: One kind.
        both: Both kinds, with the opacity on either side of the nodule.
    """

    alone: Mapping[Kind, Occupant]
    both: tuple[Occupant, Occupant]

    @property
    def room(self) -> LesionKernel:
        """Where this has room, each of them has."""
        return _joined((occupant.kernel, (0, 0, 0)) for occupant in self.both)


def occupants(plan: VolumePlan) -> Occupants:
    """What may lie at the sites of a dataset's volumes.

    Raises:
        DatasetError: The volume is smaller than such a finding.
    """
    kernels = {Kind.OPACITY: plan.kernel(OPACITY_RADIUS), Kind.NODULE: plan.kernel()}
    axis = min((1, 2, 0), key=lambda i: plan.spacing_mm[i])
    shift = _half_in(kernels, axis)
    return Occupants(
        {kind: Occupant({kind: (kernel, (0, 0, 0))}) for kind, kernel in kernels.items()},
        (_together(kernels, axis, shift, -1), _together(kernels, axis, shift, 1)),
    )


def _half_in(kernels: Mapping[Kind, LesionKernel], axis: int) -> int:
    """The shift of the opacity, in voxels, with which nearest to half of the nodule lies in it, but not all."""
    size = {kind: int(kernel.mask.sum()) for kind, kernel in kernels.items()}
    common: dict[int, int] = {}
    for shift in itertools.count(1):
        shared = sum(size.values()) - int(_together(kernels, axis, shift, 1).kernel.mask.sum())
        if not shared:
            break
        if shared < size[Kind.NODULE]:
            common[shift] = shared
    return min(common, key=lambda shift: abs(2 * common[shift] - size[Kind.NODULE]))


def _together(kernels: Mapping[Kind, LesionKernel], axis: int, shift: int, direction: int) -> Occupant:
    """Both kinds, the opacity ``shift`` voxels off the nodule in this direction (1 or -1); the middle of both is 0."""
    reach = {kind: int(kernel.reach[axis]) for kind, kernel in kernels.items()}
    nodule = -((shift + reach[Kind.OPACITY] - reach[Kind.NODULE]) // 2)
    steps = {Kind.NODULE: direction * nodule, Kind.OPACITY: direction * (nodule + shift)}
    return Occupant({kind: (kernel, _along(axis, steps[kind])) for kind, kernel in kernels.items()})


def _along(axis: int, voxels: int) -> Offset:
    z, y, x = (voxels if i == axis else 0 for i in range(3))
    return z, y, x


def _joined(parts: Iterable[tuple[LesionKernel, Offset]]) -> LesionKernel:
    """One kernel that is wherever one of the parts is."""
    parts = tuple(parts)
    reach = np.max([np.array(kernel.mask.shape) // 2 + np.abs(offset) for kernel, offset in parts], axis=0)
    mask, weight = np.zeros(2 * reach + 1, dtype=bool), np.zeros(2 * reach + 1)
    for kernel, offset in parts:
        start = reach + offset - np.array(kernel.mask.shape) // 2
        box = tuple(slice(low, low + length) for low, length in zip(start, kernel.mask.shape, strict=True))
        mask[box] |= kernel.mask
        weight[box] = np.maximum(weight[box], kernel.weight)
    return LesionKernel(max(kernel.radius_mm for kernel, _ in parts), mask, weight)
