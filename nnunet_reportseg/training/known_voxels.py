"""Which voxels are known for a finding of which not all instances are labelled.

Known are its labelled instances, a margin around them, and the voxels of other findings. Any other voxel may belong to
an instance that nobody labelled, so it must count neither way: nnU-Net's ignore label.

The margin is what the border of a lesion is learned from. It is a length and not a number of voxels, because voxels of
CT are seldom cubes, and a short one: what lies further away may be the next lesion of the same kind. 5 mm are seven
voxels of 0.7 mm, so that the border is still there at a quarter of the resolution (deep supervision).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

MARGIN_MM = 5.0


def margin_in_voxels(spacing: Sequence[float]) -> tuple[int, ...]:
    """The margin along each axis in voxels, at least one: thick slices have a border too.

    Args:
        spacing: Of a voxel, in mm, in the order of the axes.
    """
    return tuple(max(1, round(MARGIN_MM / length)) for length in spacing)


def known_voxels(
    labels: NDArray[Any], findings: Sequence[Sequence[int]], number: int, margin: Sequence[int]
) -> NDArray[np.bool_]:
    """Voxels of which it is known whether they belong to a finding.

    Args:
        labels: Label values, ``(D, H, W)`` or ``(H, W)``.
        findings: Label values of each finding of the case.
        number: Index of the finding.
        margin: Along each axis, in voxels; it is a box, because a ball takes ten times as long.
    """
    own = np.isin(labels, findings[number])
    near = ndimage.maximum_filter(own.view(np.uint8), size=[2 * length + 1 for length in margin], mode="constant") > 0
    return near | np.isin(labels, [value for values in findings for value in values])
