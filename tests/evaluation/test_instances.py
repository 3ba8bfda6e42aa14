"""Instances and their matching, by hand: what is large enough, which come first, and who gets whom."""

from __future__ import annotations

import numpy as np

from nnunet_reportseg.evaluation.instances import label_instances, match_instances
from tests.evaluation import slow_reference
from tests.evaluation.finding_cases import pairs


def _line(*spans: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((1, 1, 80), dtype=bool)
    for start, stop in spans:
        mask[0, 0, start:stop] = True
    return mask


def _match(prediction: np.ndarray, reference: np.ndarray) -> list[tuple[int, int]]:
    return match_instances(label_instances(prediction), label_instances(reference), min_dice=0.2)


def test_the_largest_come_first_and_equal_ones_in_the_order_of_the_array() -> None:
    numbers, sizes = label_instances(_line((0, 3), (5, 10), (12, 15), (20, 21)), min_voxels=2, at_most=2)
    assert sizes.tolist() == [5, 3]
    assert [int(numbers[0, 0, at]) for at in (0, 5, 12, 20)] == [2, 1, 0, 0]


def test_the_highest_dice_goes_first_even_where_that_costs_a_match() -> None:
    reference, prediction = _line((0, 20), (22, 34)), _line((18, 30))
    assert _match(prediction, reference) == [(2, 1)]
    # Optimal assignment would match both; greedy gives the prediction with the best Dice away first.
    assert _match(_line((4, 27), (28, 34)), _line((0, 20), (22, 34))) == [(1, 1), (2, 2)]
    assert _match(_line((12, 36)), _line((0, 20), (22, 34))) == [(2, 1)]


def test_of_equal_dice_the_first_reference_and_then_the_first_prediction_is_taken() -> None:
    assert _match(_line((6, 20)), _line((0, 12), (14, 26))) == [(1, 1)]
    assert _match(_line((0, 12), (14, 26)), _line((6, 20))) == [(1, 1)]


def test_no_instances_no_match() -> None:
    assert _match(_line(), _line((0, 12))) == _match(_line((0, 12)), _line()) == _match(_line(), _line()) == []


def test_matches_and_their_order_agree_with_the_slow_reference() -> None:
    compared = 0
    for _, prediction, reference, _ in pairs():
        found = [label_instances(mask, min_voxels=10, at_most=50) for mask in (prediction, reference)]
        slow = [slow_reference.instances(mask.astype(int).tolist()) for mask in (prediction, reference)]
        for (numbers, sizes), components in zip(found, slow, strict=True):
            assert sizes.tolist() == [len(component) for component in components]
            for number, component in enumerate(components, start=1):
                assert {tuple(map(int, at)) for at in np.argwhere(numbers == number)} == component
        expected = slow_reference.matches(slow[1], slow[0])
        assert match_instances(*found, min_dice=0.2) == [(r + 1, p + 1) for r, p in expected]
        compared += len(expected)
    assert compared > 100
