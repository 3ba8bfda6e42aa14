"""Instances of a mask, and which predicted one belongs to which of the reference.

Instances are connected components in which voxels share a face or an edge (18 neighbours), found with
`scipy.ndimage.label`. ReXGroundingCT (Baharoon et al. 2025, arXiv 2507.22030) counts a predicted instance as right at a
Dice of 0.2; the order in which instances are matched is ours, since the paper does not give one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

NEIGHBOURS = 18


def label_instances(
    mask: NDArray[np.bool_], *, min_voxels: int = 1, at_most: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the instances of a mask, the largest first.

    Instances of equal size come in the order of their first voxels in the array.

    Args:
        mask: ``(D, H, W)``.
        min_voxels: Smaller components are no instances.
        at_most: How many of the largest are kept; None keeps all.

    Returns:
        The mask with the number of the instance, from 1, in each voxel, and 0 elsewhere; and the voxels of each.
    """
    components, count = ndimage.label(mask, ndimage.generate_binary_structure(3, 2))
    if not count:
        return np.zeros(mask.shape, dtype=np.int64), np.zeros(0, dtype=np.int64)
    values, first, sizes = np.unique(components[mask], return_index=True, return_counts=True)
    order = np.lexsort((first, -sizes))
    kept = order[sizes[order] >= min_voxels][:at_most]
    number = np.zeros(count + 1, dtype=np.int64)
    number[values[kept]] = np.arange(1, kept.size + 1)
    return number[components], sizes[kept].astype(np.int64)


def match_instances(
    prediction: tuple[NDArray[np.int64], NDArray[np.int64]],
    reference: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    min_dice: float,
) -> list[tuple[int, int]]:
    """Match instances one to one, greedily.

    Of all pairs with a Dice of at least ``min_dice``, the one with the highest Dice is matched first, then the highest
    of those whose instances are both still free, and so on. Among equal Dice the lower number of the reference instance
    goes first, then the lower number of the predicted one.

    Args:
        prediction: What `label_instances` returned.
        reference: The same, for the reference.
        min_dice: Lowest Dice of a match.

    Returns:
        Numbers of the matched instances, of the reference and of the prediction, in the order of matching.
    """
    (predicted, predicted_sizes), (true, true_sizes) = prediction, reference
    width = predicted_sizes.size + 1
    shared = np.bincount((true * width + predicted).ravel(), minlength=(true_sizes.size + 1) * width)
    shared = shared.reshape(-1, width)[1:, 1:]
    dice = 2 * shared / (true_sizes[:, None] + predicted_sizes[None, :])
    rows, columns = np.nonzero(dice >= min_dice)
    matched: list[tuple[int, int]] = []
    free_rows, free_columns = set(rows.tolist()), set(columns.tolist())
    for at in np.lexsort((columns, rows, -dice[rows, columns])):
        row, column = int(rows[at]), int(columns[at])
        if row in free_rows and column in free_columns:
            free_rows.remove(row)
            free_columns.remove(column)
            matched.append((row + 1, column + 1))
    return matched
