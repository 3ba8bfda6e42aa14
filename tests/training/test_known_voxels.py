"""What is known of a finding of which not all instances are labelled."""

from __future__ import annotations

import numpy as np
import pytest

from nnunet_reportseg.training.known_voxels import known_voxels, margin_in_voxels

FINDINGS = ((1, 3), (2, 3))


@pytest.mark.parametrize(
    ("spacing", "margin"), [((1.5, 0.7, 0.7), (3, 7, 7)), ((12.0, 1.0, 2.5), (1, 5, 2)), ((1.0, 1.0), (5, 5))]
)
def test_the_margin_is_five_millimetres_and_at_least_one_voxel(spacing, margin):
    assert margin_in_voxels(spacing) == margin


def labels() -> np.ndarray:
    """A voxel of each finding, far apart, and one that belongs to no finding; ``(6, 9, 9)``."""
    made = np.zeros((6, 9, 9), np.int16)
    made[0, 2, 2], made[5, 8, 8], made[5, 8, 0] = 1, 2, 7
    return made


def test_labelled_instances_their_margin_and_other_findings_are_known():
    wanted = np.zeros((6, 9, 9), bool)
    wanted[:2, 0:5, 1:4] = True  # cut at the border of the patch
    wanted[5, 8, 8] = True
    np.testing.assert_array_equal(known_voxels(labels(), FINDINGS, 0, (1, 2, 1)), wanted)


def test_a_voxel_that_both_share_has_a_margin_in_both():
    shared = np.zeros((9, 9), np.int16)
    shared[4, 4] = 3
    for number in range(2):
        known = known_voxels(shared, FINDINGS, number, (1, 1))
        assert known[3:6, 3:6].all()
        assert known.sum() == 9


def test_of_a_finding_without_voxels_only_the_others_are_known():
    known = known_voxels(labels(), ((4,), (1,)), 0, (2, 2, 2))
    np.testing.assert_array_equal(known, labels() == 1)
