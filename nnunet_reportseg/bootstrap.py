"""Bootstrap intervals over images: images are drawn with replacement, and all that was measured on one comes along.

The percentile bootstrap (Efron 1979, doi 10.1214/aos/1176344552) over clusters: cases that share an image are no
independent observations, so the image is what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAMPLES = 2000
SEED = 0
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95% interval.

    Attributes:
        value: over all cases.
        low: lower bound.
        high: upper bound.
        cases: number of cases.
        images: number of images among them.
    """

    value: float
    low: float
    high: float
    cases: int
    images: int


def bootstrap_ratio(
    numerators: Sequence[float],
    denominators: Sequence[float],
    images: Sequence[str],
    *,
    samples: int = SAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """Interval of the sum of the numerators over the sum of the denominators.

    Args:
        numerators: one for each case.
        denominators: one for each case.
        images: the image of each case.
        samples: number of draws.
        seed: of the draws.

    Returns:
        None without cases, or where the denominators sum to 0.
    """
    top, bottom = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if not top.size or bottom.sum() == 0:
        return None
    names, index = np.unique(np.asarray(images), return_inverse=True)
    counts = draw_counts(len(names), samples, seed)
    tops = counts @ np.bincount(index, top, len(names))
    bottoms = counts @ np.bincount(index, bottom, len(names))
    usable = bottoms != 0
    low, high = np.quantile(tops[usable] / bottoms[usable], ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return Interval(float(top.sum() / bottom.sum()), float(low), float(high), int(top.size), len(names))


def bootstrap_mean(
    values: Sequence[float], images: Sequence[str], *, samples: int = SAMPLES, seed: int = SEED
) -> Interval | None:
    """Interval of a mean over cases; None without cases. For a paired difference, give the differences."""
    return bootstrap_ratio(values, [1.0] * len(values), images, samples=samples, seed=seed)


def draw_counts(images: int, samples: int, seed: int) -> np.ndarray:
    """``(samples, images)``: how often each image is drawn, the same for the same seed and number of images."""
    drawn = np.random.default_rng(seed).integers(images, size=(samples, images))
    return np.stack([np.bincount(row, minlength=images) for row in drawn]).astype(np.float64)
