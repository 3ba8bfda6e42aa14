"""The bootstrap against a loop that does it sample by sample."""

from __future__ import annotations

import numpy as np
import pytest

from nnunet_reportseg.bootstrap import bootstrap_mean, bootstrap_ratio


def slow(top, bottom, images, samples, seed):
    names = sorted(set(images))
    rng = np.random.default_rng(seed)
    estimates = []
    for drawn in rng.integers(len(names), size=(samples, len(names))):
        numerator = denominator = 0.0
        for image in drawn:
            for t, b, name in zip(top, bottom, images, strict=True):
                if name == names[image]:
                    numerator += t
                    denominator += b
        if denominator:
            estimates.append(numerator / denominator)
    return np.quantile(estimates, [0.025, 0.975])


def test_equals_the_slow_reference():
    rng = np.random.default_rng(1)
    images = [f"i{k // 3}" for k in range(14)]
    top, bottom = rng.normal(size=14), rng.uniform(0.1, 1, size=14)
    fast = bootstrap_ratio(top, bottom, images, samples=300, seed=7)
    np.testing.assert_allclose([fast.low, fast.high], slow(top, bottom, images, 300, 7), atol=1e-12)
    assert fast.value == pytest.approx(top.sum() / bottom.sum())
    assert (fast.cases, fast.images) == (14, 5)


def test_cases_of_an_image_are_drawn_together():
    """Twelve copies of three images are no more evidence than the three."""
    values, images = [0.0, 0.5, 1.0], ["a", "b", "c"]
    few, many = bootstrap_mean(values, images), bootstrap_mean(values * 4, images * 4)
    assert (few.low, few.high) == (many.low, many.high)
    independent = bootstrap_mean(values * 4, [str(k) for k in range(12)])
    assert independent.high - independent.low < 0.7 * (many.high - many.low)


def test_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        interval = bootstrap_mean(rng.normal(size=40), [str(k) for k in range(40)], samples=400, seed=trial)
        hits += interval.low <= 0 <= interval.high
    assert 175 <= hits <= 200


def test_nothing_to_measure():
    assert bootstrap_mean([], []) is None
    assert bootstrap_ratio([1.0], [0.0], ["a"]) is None
