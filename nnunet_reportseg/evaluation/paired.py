"""Measures for paired benchmarks: the same image with several reports, each asking for another lesion.

A network that ignores the text gives one mask per image, so its mean Dice has a ceiling that can be computed; the
follow rate says how often the mask lies on the lesion that the report describes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

GRID_POINTS = 100_000


def blind_ceiling_equal(k: int) -> float:
    """Best mean Dice of one fixed mask over k equally large, equally likely lesions: 2 / (k + 1).

    Raises:
        ValueError: ``k`` is below 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; need at least one lesion")
    return 2 / (k + 1)


def blind_ceiling(volumes: Sequence[float], probabilities: Sequence[float] | None = None) -> float:
    """Best expected Dice of one fixed mask when lesion i is the described one with probability p_i.

    A mask of A voxels that takes a_i of lesion i scores sum p_i 2 a_i / (A + v_i). For a fixed A this is linear in
    the a_i, so filling the lesions in the order of p_i / (A + v_i) is best, and only A remains to be searched: every
    integer where the volumes are whole voxels (exact), a grid of 100,000 steps otherwise.

    Args:
        volumes: Size of each lesion (disjoint), in voxels.
        probabilities: How often each lesion is the described one; equal where None. Must sum to 1.

    Raises:
        ValueError: No lesion, a size that is not positive, or probabilities that do not fit.
    """
    v = np.asarray(volumes, dtype=np.float64)
    if v.ndim != 1 or v.size == 0 or not np.all(np.isfinite(v)) or v.min() <= 0:
        raise ValueError(f"volumes {list(volumes)}: need at least one, all positive")
    p = np.full(v.size, 1 / v.size) if probabilities is None else np.asarray(probabilities, dtype=np.float64)
    if p.shape != v.shape or p.min() < 0 or abs(p.sum() - 1) > 1e-6:
        raise ValueError(f"probabilities {probabilities}: need {v.size} values >= 0 that sum to 1")
    total = v.sum()
    if np.all(v == np.rint(v)) and total <= GRID_POINTS:
        areas = np.arange(1, int(total) + 1, dtype=np.float64)
    else:
        areas = np.union1d(np.linspace(0, total, GRID_POINTS + 1)[1:], np.cumsum(np.sort(v)))
    weight = p / (areas[:, None] + v)
    order = np.argsort(-weight, axis=1, kind="stable")
    before = np.cumsum(v[order], axis=1) - v[order]
    taken = np.clip(areas[:, None] - before, 0, v[order])
    return float((2 * np.take_along_axis(weight, order, axis=1) * taken).sum(axis=1).max())


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice of two masks of the same shape; nonzero is foreground. Two empty masks agree: 1.0.

    Raises:
        ValueError: The shapes differ.
    """
    if a.shape != b.shape:
        raise ValueError(f"masks of shape {a.shape} and {b.shape}; resample one onto the grid of the other")
    first, second = a != 0, b != 0
    size = int(first.sum()) + int(second.sum())
    return 1.0 if size == 0 else 2 * int((first & second).sum()) / size


def followed(mask: np.ndarray, lesions: np.ndarray, described: int) -> bool:
    """Whether the mask lies on the described lesion rather than on any other lesion of the volume.

    The mask must touch the described lesion and have a higher Dice with it than with each other lesion. A tie is not
    following, so one fixed mask can follow at most one of the reports of an image.

    Args:
        mask: The predicted mask; nonzero is foreground.
        lesions: Lesion map of the same shape: 0 is background, each other value one lesion.
        described: Value of the described lesion.

    Raises:
        ValueError: The shapes differ, or no voxel has the described value.
    """
    values = [int(value) for value in np.unique(lesions) if value != 0]
    if described not in values:
        raise ValueError(f"described value {described} does not occur in the lesion map (it has {values})")
    scores = {value: dice(mask, lesions == value) for value in values}
    best_other = max((score for value, score in scores.items() if value != described), default=0.0)
    return scores[described] > best_other
