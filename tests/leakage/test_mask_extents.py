"""Lengths of masks against SimpleITK and against all pairs of voxels."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.distance import pdist

from nnunet_reportseg.leakage.mask_extents import AXIAL, BALL, CENTRES, DIAMETER, EDGES, SIDE, mask_lengths


def _blob(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros((7, 9, 11), bool)
    mask[tuple(rng.integers(0, size, 12) for size in mask.shape)] = True
    return mask


@pytest.mark.parametrize("seed", range(4))
def test_diameter_is_that_of_simpleitk(seed: int) -> None:
    mask, spacing = _blob(seed), (2.5, 0.8, 0.7)
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.SetSpacing(spacing[::-1])
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.ComputeFeretDiameterOn()
    shape.Execute(image)
    lengths = mask_lengths(mask, spacing, 0)
    assert lengths[f"{DIAMETER}, {CENTRES}"] == pytest.approx(shape.GetFeretDiameter(1))
    assert lengths[BALL] == pytest.approx(2 * shape.GetEquivalentSphericalRadius(1))


@pytest.mark.parametrize("axial", [0, 1, 2])
def test_axial_diameter_is_the_longest_of_a_slice(axial: int) -> None:
    mask, spacing = _blob(5), np.array((2.5, 0.8, 0.7))
    slices = np.moveaxis(mask, axial, 0)
    steps = np.delete(spacing, axial)
    longest = max(pdist(np.argwhere(part) * steps).max() for part in slices if part.sum() > 1)
    assert mask_lengths(mask, spacing, axial)[f"{AXIAL}, {CENTRES}"] == pytest.approx(longest)


def test_one_voxel_and_a_line() -> None:
    mask = np.zeros((3, 3, 6), bool)
    mask[1, 1, 1] = True
    lengths = mask_lengths(mask, (3.0, 1.0, 1.0), 0)
    assert lengths[f"{DIAMETER}, {CENTRES}"] == 0
    assert lengths[f"{DIAMETER}, {EDGES}"] == pytest.approx(np.sqrt(11))
    assert lengths[f"{AXIAL}, {EDGES}"] == pytest.approx(np.sqrt(2))
    mask[1, 1, 1:5] = True
    lengths = mask_lengths(mask, (3.0, 1.0, 1.0), 0)
    assert (lengths[f"{SIDE}, {CENTRES}"], lengths[f"{SIDE}, {EDGES}"]) == (3, 4)
    assert lengths[f"{DIAMETER}, {CENTRES}"] == 3
