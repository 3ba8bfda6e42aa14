"""Where voxels lie: coordinates from frames, Fourier features, and the coarse grid of fine stages."""

from __future__ import annotations

import pytest
import torch

from tests.text_conditioning.adapter_inputs import feature_map, frame, leave_identity
from text_conditioning.position import FourierFeatures, PositionBias, interpolated, patient_coordinates


def exact_bias(position: PositionBias, place: torch.Tensor, shape: list[int]) -> torch.Tensor:
    """The bias computed at every voxel instead of on a coarse grid."""
    features = position.fourier(patient_coordinates(place, shape, [1] * len(shape)))
    return position.projection(features.movedim(1, -1)).movedim(-1, 1)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_identity_at_the_start_with_a_gradient(dimensions: int) -> None:
    position = PositionBias(6, 4)
    x = feature_map(dimensions)
    out = position(x, frame(dimensions), [1] * dimensions)
    assert torch.equal(out, x)
    out.square().sum().backward()
    assert position.projection.weight.grad.any()


def test_coordinates_of_a_rotated_and_shifted_patch() -> None:
    place = torch.tensor([[[0.0, 0.1, 0.0, 0.2], [-0.1, 0.0, 0.0, 0.7], [0.0, 0.0, 0.05, -0.4]]])
    coordinates = patient_coordinates(place, [3, 4, 5], [1, 1, 1])
    assert coordinates.shape == (1, 3, 3, 4, 5)
    torch.testing.assert_close(coordinates[0, :, 2, 3, 4], torch.tensor([0.2 + 0.3, 0.7 - 0.2, -0.4 + 0.2]))


def test_a_coarse_voxel_lies_in_the_middle_of_the_voxels_it_covers() -> None:
    fine = patient_coordinates(frame(3, size=8), [8, 8, 8], [1, 1, 1])
    coarse = patient_coordinates(frame(3, size=8), [8, 4, 2], [1, 2, 4])
    torch.testing.assert_close(torch.nn.functional.avg_pool3d(fine, (1, 2, 4)), coarse)


def test_left_and_right_have_features_of_opposite_sign() -> None:
    features = FourierFeatures(4)(torch.tensor([0.2, 0.8]).reshape(2, 1, 1).repeat(1, 3, 1))
    sine = features[:, 3]
    assert sine[0] < -0.5
    assert sine[1] > 0.5


def relative_error(size: int, volume: int) -> float:
    """Root mean square of the error of the coarse grid, as a part of the spread of the exact bias."""
    position = PositionBias(6, 4)
    leave_identity(position)
    place = frame(3, size=volume)[:1]
    with torch.no_grad():
        exact = exact_bias(position, place, [size] * 3)
        found = position(torch.zeros_like(exact), place, [1, 1, 1])
    return float((found - exact).square().mean().sqrt() / exact.std())


@pytest.mark.parametrize(("size", "volume"), [(64, 128), (64, 256)])
def test_the_coarse_grid_of_a_full_resolution_stage_is_close_to_the_exact_one(size: int, volume: int) -> None:
    assert relative_error(size, volume) < 0.06


@pytest.mark.parametrize("size", [16, 32, 64])
def test_the_coarse_grid_is_close_also_where_the_patch_is_a_small_volume(size: int) -> None:
    assert relative_error(size, size) < 0.06


def test_a_fine_stage_whose_size_is_no_multiple_of_the_grid_is_exact() -> None:
    position = PositionBias(6, 4)
    leave_identity(position)
    place = frame(3, size=10)
    found = position(torch.zeros(2, 6, 9, 10, 11), place, [1, 1, 1])
    torch.testing.assert_close(found, exact_bias(position, place, [9, 10, 11]))


def test_an_anisotropic_stage_interpolates_only_its_fine_axes() -> None:
    position = PositionBias(6, 4)
    leave_identity(position)
    place = frame(3, size=64)
    found = position(torch.zeros(2, 6, 16, 4, 4), place, [1, 4, 4])
    coordinates = patient_coordinates(place, [16, 4, 4], [1, 4, 4])
    exact = position.projection(position.fourier(coordinates).movedim(1, -1)).movedim(-1, 1)
    torch.testing.assert_close(found.mean(dim=2), exact.mean(dim=2), atol=0.02, rtol=0.02)
    assert (found - exact).abs().max() < 0.3 * exact.std()


def test_a_patch_beyond_the_volume_is_fine() -> None:
    position = PositionBias(6, 4)
    leave_identity(position)
    inside, outside = frame(3), frame(3)
    outside[:, :, -1] -= 0.75
    x = feature_map(3)
    found = position(x, outside, [2, 2, 2])
    assert torch.isfinite(found).all()
    assert (found - position(x, inside, [2, 2, 2])).abs().max() > 0.1


def test_position_keeps_the_precision_of_the_feature_map_and_its_own_under_autocast() -> None:
    position = PositionBias(6, 4)
    leave_identity(position)
    assert position(feature_map(3).to(torch.bfloat16), frame(3), [1, 1, 1]).dtype == torch.bfloat16
    place = torch.zeros(1, 3, 4)
    place[:, :, :3] = torch.eye(3) / 512
    with torch.autocast("cpu", dtype=torch.bfloat16):
        coordinates = patient_coordinates(place, [512, 1, 1], [1, 1, 1])
    torch.testing.assert_close(coordinates[0, 0, :, 0, 0], torch.arange(512) / 512)


@pytest.mark.parametrize(
    ("shape", "factors"), [((3, 4, 5), (2, 3, 4)), ((6, 5, 4), (1, 2, 1)), ((1, 3, 2), (4, 1, 2)), ((5, 6), (2, 4))]
)
def test_interpolation_is_that_of_torch(shape: tuple[int, ...], factors: tuple[int, ...]) -> None:
    x = torch.randn(2, 3, *shape)
    size = [n * factor for n, factor in zip(shape, factors, strict=True)]
    mode = "trilinear" if len(shape) == 3 else "bilinear"
    expected = torch.nn.functional.interpolate(x, size=size, mode=mode, align_corners=False)
    found = interpolated(x, factors)
    torch.testing.assert_close(found, expected)
    assert found.is_contiguous()
