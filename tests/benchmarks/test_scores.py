"""Scores of masks: which lesions make a pair of an attribute, what counts as following, and false positives."""

from __future__ import annotations

import numpy as np
import pytest

from following.scores import CaseScore, false_positive_part, other_lesions, part_of, score_case, summary

SITES = [
    {"value": 1, "side": "left", "level": "upper"},
    {"value": 2, "side": "left", "level": "lower"},
    {"value": 3, "side": "right", "level": "upper"},
    {"value": 4, "side": "right", "level": "lower"},
]


@pytest.fixture
def lesions():
    """Four lesions of 8 voxels in a row of a volume."""
    volume = np.zeros((4, 4, 24), dtype=np.uint8)
    for value in (1, 2, 3, 4):
        volume[1:3, 1:3, 6 * value - 5 : 6 * value - 3] = value
    return volume


def test_a_pair_of_an_attribute_differs_in_it_alone():
    assert other_lesions(SITES, 1, [], ("side", "level")) == {"side": [3], "level": [2]}
    assert other_lesions(SITES, 1, [], ("side",)) == {"side": [3, 4]}


def test_what_the_reports_do_not_tell_makes_no_difference():
    sizes = [{**SITES[0], "size": "large"}, {**SITES[3], "size": "small"}]
    assert other_lesions(sizes, 1, [], ("size",)) == {"size": [4]}


def test_the_state_is_what_the_report_denies():
    assert other_lesions(SITES[::2], 1, [3], ("state",)) == {"state": [3]}
    assert other_lesions(SITES[::2], 1, [], ("state",)) == {"state": []}


def test_a_mask_on_the_right_level_of_the_wrong_side_follows_the_level_alone(lesions):
    others = other_lesions(SITES, 1, [], ("side", "level"))
    score = score_case(lesions == 3, lesions, 1, others=others)
    assert score.followed is False
    assert score.pairs == {"side": (False,), "level": (False,)}
    both_sides = score_case(np.isin(lesions, [1, 3]), lesions, 1, others=others)
    assert both_sides.pairs == {"side": (False,), "level": (True,)}
    assert both_sides.followed is False
    right = score_case(lesions == 1, lesions, 1, others=others)
    assert right.followed
    assert right.pairs == {"side": (True,), "level": (True,)}


def test_what_is_told_apart_by_place_is_the_part_nearest_to_the_described_lesion(lesions):
    mask = (lesions > 0).astype(np.uint8)
    mask[0, 0, 9] = 1  # nearest to lesion 2
    part = part_of(mask, lesions, 2)
    assert part.sum() == 9
    assert score_case(part, lesions, 2).followed
    assert not part_of(lesions == 3, lesions, 2).any()


def test_voxels_beside_a_denied_lesion_are_false_positives_too(lesions):
    mask = np.zeros_like(lesions)
    mask[0, 0, 9] = 1  # nearest to lesion 2
    assert false_positive_part(mask, lesions, [2]) == pytest.approx(1 / 8)
    assert false_positive_part(mask, lesions, [3]) == 0
    assert false_positive_part(np.zeros_like(mask), lesions, [2]) == 0
    assert false_positive_part(mask, lesions, []) is None


def test_the_summary_counts_pairs_not_cases():
    scores = [
        CaseScore(1.0, True, {"side": (True, True), "level": ()}, 0.0),
        CaseScore(0.0, False, {"side": (False,), "level": (True,)}, None),
    ]
    found = summary(scores)
    assert found["dice"] == 0.5
    assert found["follow_rate"] == 0.5
    assert found["follow_rate_per_attribute"] == {"side": pytest.approx(2 / 3), "level": 1.0}
    assert found["false_positive_part"] == 0
    assert summary([CaseScore(0.5)])["follow_rate"] is None
