"""Components far smaller than any of the training labels are not credible."""

from __future__ import annotations

import numpy as np
import pytest

from nnunet_reportseg.credible_size import component_sizes, credible_mask


@pytest.fixture
def mask():
    """Components of 1, 2 (which touch at a corner), 4 and 8 voxels."""
    voxels = np.zeros((12, 12, 12), dtype=bool)
    voxels[0, 0, 0] = True
    voxels[3, 3, 3] = voxels[4, 4, 4] = True
    voxels[7, 7, 7:11] = True
    voxels[9:11, 1:3, 9:11] = True
    return voxels


def test_sizes_of_components(mask):
    assert sorted(component_sizes(mask)) == [1, 2, 4, 8]
    assert component_sizes(np.zeros((3, 3, 3), dtype=bool)) == []


@pytest.mark.parametrize(
    ("smallest_mm3", "spacing", "left", "removed"),
    [
        (None, (1, 1, 1), 15, 0),
        (2, (1, 1, 1), 15, 0),  # half of it is one voxel
        (4, (1, 1, 1), 14, 1),
        (8, (1, 1, 1), 12, 2),
        (8, (2, 1, 1), 14, 1),
        (100, (1, 1, 1), 0, 4),
    ],
)
def test_components_of_less_than_half_the_smallest_go(mask, smallest_mm3, spacing, left, removed):
    before = mask.copy()
    cleaned, gone = credible_mask(mask, smallest_mm3, spacing)
    assert (int(cleaned.sum()), gone) == (left, removed)
    assert not (cleaned & ~before).any()
    assert np.array_equal(mask, before)


def test_an_empty_mask_stays_empty():
    cleaned, gone = credible_mask(np.zeros((3, 3, 3), dtype=bool), 8.0, (1, 1, 1))
    assert not cleaned.any()
    assert gone == 0
