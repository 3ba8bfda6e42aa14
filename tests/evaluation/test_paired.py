"""The measures of paired benchmarks, against brute force and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nnunet_reportseg.evaluation.paired import blind_ceiling, blind_ceiling_equal, dice, followed


@pytest.mark.parametrize(("k", "expected"), [(1, 1.0), (2, 2 / 3), (3, 0.5), (4, 0.4), (8, 2 / 9)])
def test_equal_lesions_have_the_closed_form(k: int, expected: float) -> None:
    assert blind_ceiling_equal(k) == pytest.approx(expected)
    assert blind_ceiling([31] * k) == pytest.approx(expected)
    assert blind_ceiling([1.37] * k) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("volumes", "probabilities"),
    [([1, 9], None), ([3, 4, 7], None), ([2, 8, 3], [0.6, 0.3, 0.1]), ([5, 5, 2], [0.1, 0.1, 0.8])],
)
def test_ceiling_equals_the_best_of_all_masks(volumes: list[int], probabilities: list[float] | None) -> None:
    p = probabilities or [1 / len(volumes)] * len(volumes)
    masks = itertools.product(*[range(v + 1) for v in volumes])
    best = max(
        sum(pi * 2 * a / (sum(mask) + v) for pi, a, v in zip(p, mask, volumes, strict=True))
        for mask in masks
        if sum(mask)
    )
    assert blind_ceiling(volumes, probabilities) == pytest.approx(best, abs=1e-12)


def test_fractional_volumes_agree_with_the_same_volumes_in_other_units() -> None:
    assert blind_ceiling([2.5, 7.5, 4.0]) == pytest.approx(blind_ceiling([500, 1500, 800]), abs=1e-5)


def test_a_certain_report_leaves_no_ceiling() -> None:
    assert blind_ceiling([10, 20], [0, 1]) == pytest.approx(1.0)


@pytest.mark.parametrize(("volumes", "p"), [([], None), ([1, 0], None), ([1, 2], [0.5]), ([1, 2], [0.5, 0.6])])
def test_ceiling_refuses_what_it_cannot_read(volumes: list[float], p: list[float] | None) -> None:
    with pytest.raises(ValueError, match=r"volumes|probabilities"):
        blind_ceiling(volumes, p)


def test_dice_counts_voxels() -> None:
    a, b = np.zeros((2, 3, 4)), np.zeros((2, 3, 4))
    a[0, 0, :3] = 1
    b[0, 0, 1:] = 5
    assert dice(a, b) == pytest.approx(2 * 2 / 6)
    assert dice(a, np.zeros_like(a)) == 0.0
    assert dice(np.zeros_like(a), np.zeros_like(a)) == 1.0
    with pytest.raises(ValueError, match="shape"):
        dice(a, a[:1])


def lesion_map() -> np.ndarray:
    lesions = np.zeros((1, 4, 10), dtype=np.uint8)
    lesions[0, :2, :2] = 1
    lesions[0, :2, 5:7] = 2
    return lesions


def test_following_means_overlapping_the_described_lesion_best() -> None:
    lesions = lesion_map()
    mask = lesions == 2
    mask[0, 0, 0] = True
    assert followed(mask, lesions, 2)
    assert not followed(mask, lesions, 1)


def test_empty_masks_and_masks_of_everything_do_not_follow() -> None:
    lesions = lesion_map()
    for mask in (np.zeros_like(lesions), lesions > 0, np.ones_like(lesions)):
        assert not followed(mask, lesions, 1)
        assert not followed(mask, lesions, 2)


def test_a_large_neighbour_does_not_win_by_its_size() -> None:
    lesions = np.zeros((1, 10, 20), dtype=np.uint8)
    lesions[0, :2, :2] = 1
    lesions[0, :, 10:] = 2
    mask = lesions == 1
    mask[0, 0, 10:16] = True
    assert followed(mask, lesions, 1)


def test_a_value_that_does_not_occur_is_refused() -> None:
    with pytest.raises(ValueError, match="described value 3"):
        followed(lesion_map() == 1, lesion_map(), 3)
