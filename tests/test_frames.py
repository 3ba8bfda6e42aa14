"""Frames follow voxels exactly."""

import numpy as np
import pytest
import torch
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.pseudo2d import Convert2DTo3DTransform, Convert3DTo2DTransform

from nnunet_reportseg.errors import GeometryError
from nnunet_reportseg.frames import compose, crop_frame, flip_frame, log_zoom, patient_frame
from nnunet_reportseg.training.frame_tracking import track_frames
from text_conditioning.position import patient_coordinates


def _coordinate_image(shape, frame):
    """Patient coordinates of every voxel, by brute force."""
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")).reshape(len(shape), -1)
    return (frame[:, :-1] @ grid + frame[:, -1:]).reshape(3, *shape)


def _coordinates(frame, shape):
    frame = torch.from_numpy(frame)[None]
    return patient_coordinates(frame, shape, [1] * len(shape))[0].numpy()


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1)])
def test_patient_frame_runs_from_half_a_voxel_to_one_minus_half_a_voxel(signs):
    coordinates = _coordinates(patient_frame((4, 5, 8), (2, 1, 0), signs), (4, 5, 8))
    left = coordinates[0, 0, 0]
    expected = (np.arange(8) + 0.5) / 8
    np.testing.assert_allclose(left, expected if signs[0] > 0 else expected[::-1])


def test_stage_coordinates_are_the_means_of_their_voxels():
    frame = compose(patient_frame((9, 10, 16), (2, 1, 0), (1, -1, 1)), crop_frame((-2, 1, 3), 3))
    fine = _coordinates(frame, (4, 8, 8))
    stage = patient_coordinates(torch.from_numpy(frame)[None], (2, 4, 2), (2, 2, 4))[0].numpy()
    pooled = fine.reshape(3, 2, 2, 4, 2, 2, 4).mean(axis=(2, 4, 6))
    np.testing.assert_allclose(stage, pooled)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("probability", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_coordinates_match_an_image_of_coordinates_through_the_same_augmentation(seed, probability, odd):
    # border padding keeps the pushed image free of invented zeros; compare where no padding was drawn from
    initial, patch = ((31, 33, 35), (15, 17, 19)) if odd else ((30, 32, 36), (14, 16, 20))
    volume = (40, 44, 48)
    frame = compose(patient_frame(volume, (2, 1, 0), (1, -1, 1)), crop_frame((3, -4, 5), 3))
    image = torch.from_numpy(_coordinate_image(initial, frame)).float()
    spatial = SpatialTransform(
        patch, 0, False, p_rotation=probability, rotation=(-0.4, 0.4), p_scaling=probability, scaling=(0.7, 1.3)
    )
    pipeline = ComposeTransforms(track_frames([spatial, MirrorTransform((0, 1, 2))]))
    np.random.seed(seed)
    torch.manual_seed(seed)
    out = pipeline(image=image, frame=frame)
    np.testing.assert_allclose(_coordinates(out["frame"], patch), out["image"].numpy(), atol=2e-5)


def test_coordinates_continue_outside_the_crop():
    spatial = SpatialTransform((16, 16, 16), 0, False, p_scaling=1, scaling=(2, 2))
    pipeline = ComposeTransforms(track_frames([spatial]))
    frame = compose(patient_frame((16, 16, 16), (2, 1, 0), (1, 1, 1)), crop_frame((0, 0, 0), 3))
    out = pipeline(image=torch.zeros(1, 16, 16, 16), frame=frame)
    coordinates = _coordinates(out["frame"], (16, 16, 16))
    assert coordinates.min() < -0.4
    assert coordinates.max() > 1.4


@pytest.mark.parametrize("seed", range(3))
def test_dummy_2d_augmentation_leaves_the_first_axis(seed):
    frame = compose(patient_frame((6, 40, 44), (2, 1, 0), (1, 1, 1)), crop_frame((1, 2, 3), 3))
    image = torch.from_numpy(_coordinate_image((4, 30, 32), frame)).float()
    spatial = SpatialTransform((16, 18), 0, False, p_rotation=1, rotation=(-0.5, 0.5), p_scaling=1, scaling=(0.8, 1.2))
    pipeline = ComposeTransforms(track_frames([Convert3DTo2DTransform(), spatial, Convert2DTo3DTransform()]))
    np.random.seed(seed)
    out = pipeline(image=image, frame=frame)
    np.testing.assert_allclose(_coordinates(out["frame"], (4, 16, 18)), out["image"].numpy(), atol=2e-5)


def test_two_dimensional_patches_keep_three_patient_coordinates():
    frame = compose(patient_frame((6, 40, 44), (2, 1, 0), (1, 1, 1)), crop_frame((4, 2, 3), 2))
    coordinates = _coordinates(frame, (8, 8))
    np.testing.assert_allclose(coordinates[2], 4.5 / 6)


@pytest.mark.parametrize("scaling", [0.7, 1.4])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_zoom_is_how_much_larger_a_patch_shows_things(dimensions, scaling):
    shape, frame = (
        (48,) * dimensions,
        compose(patient_frame((40, 44, 48), (2, 1, 0), (1, 1, -1)), crop_frame((3, 2, 1), dimensions)),
    )
    square = torch.zeros(1, *shape)
    square[(0, *[slice(16, 32)] * dimensions)] = 1
    spatial = SpatialTransform(
        shape,
        0,
        False,
        p_rotation=1,
        rotation=(-0.3, 0.3),
        p_scaling=1,
        scaling=(scaling, scaling),
        p_synchronize_scaling_across_axes=1,
    )
    pipeline = ComposeTransforms(track_frames([spatial, MirrorTransform(tuple(range(dimensions)))]))
    np.random.seed(0)
    out = pipeline(image=square, frame=frame)
    enlarged = float(out["image"].sum() / square.sum()) ** (1 / dimensions)
    assert log_zoom(frame, out["frame"]) == pytest.approx(np.log(enlarged), abs=0.03)
    assert abs(np.log(enlarged)) > 0.3


def test_elastic_deformation_is_refused():
    spatial = SpatialTransform((8, 8, 8), 0, False, p_elastic_deform=1)
    with pytest.raises(GeometryError, match="p_elastic_deform"):
        track_frames([spatial])[0](image=torch.zeros(1, 8, 8, 8), frame=np.eye(3, 4))


def test_flipping_twice_is_the_identity():
    flip = flip_frame((3, 4, 5), (0, 2))
    np.testing.assert_array_equal(compose(flip, flip), np.hstack((np.eye(3), np.zeros((3, 1)))))
