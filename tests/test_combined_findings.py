"""Every combination of findings has a value of its own, and the findings come back from the values."""

from __future__ import annotations

import numpy as np
import pytest

from nnunet_reportseg.combined_findings import combine


def test_the_findings_come_back() -> None:
    masks = np.zeros((3, 4, 1, 1), bool)
    masks[0, :2] = masks[1, 1:3] = masks[2, 2] = True  # voxels: {0}, {0, 1}, {1, 2}, nothing
    label, values = combine(masks)
    assert label.ravel().tolist() == [1, 2, 3, 0]
    assert values == [(1, 2), (2, 3), (3,)]


@pytest.mark.parametrize("number", [1, 3, 9, 70])
def test_random_masks_come_back(number: int) -> None:
    rng = np.random.default_rng(number)
    masks = rng.random((number, 5, 4, 3)) < 0.2
    masks[number // 2] = False
    label, values = combine(masks)
    for mask, held in zip(masks, values, strict=True):
        np.testing.assert_array_equal(np.isin(label, held), mask)
    present = set(np.unique(label)) - {0}
    assert present == set(range(1, len(present) + 1))
    assert values[number // 2] == ()
