"""Patient frames through nnU-Net's augmentation.

batchgeneratorsv2 passes unknown keys of the sample through (transforms/utils/compose.py), so the frame rides along
under ``frame``. The two transforms that move voxels, SpatialTransform and MirrorTransform, are wrapped to update it
with the very parameters that they drew. The result is exact; an image of coordinates would be resampled, and wrong
outside the crop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from batchgeneratorsv2.transforms.spatial.mirroring import MirrorTransform
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform

from nnunet_reportseg.errors import GeometryError
from nnunet_reportseg.frames import Frame, compose, flip_frame

FRAME = "frame"
FrameStep = Callable[[Any, Mapping[str, Any], Sequence[int]], Frame]


class FrameTracking(BasicTransform):
    """A transform that also updates the sample's frame.

    Args:
        transform: the transform.
        step: from (transform, its parameters, image shape) to the frame from new voxel indices to old ones.
    """

    def __init__(self, transform: BasicTransform, step: FrameStep) -> None:
        super().__init__()
        self.transform = transform
        self.step = step

    def __call__(self, **data_dict: Any) -> dict[str, Any]:
        """Apply the transform to a sample."""
        shape = tuple(data_dict["image"].shape[1:])
        params = self.transform.get_parameters(**data_dict)
        data_dict = self.transform.apply(data_dict, **params)
        if FRAME in data_dict:
            frame = data_dict[FRAME]
            step = _lift(self.step(self.transform, params, shape), frame.shape[1] - 1)
            data_dict[FRAME] = compose(frame, step)
        return data_dict


def track_frames(transforms: list[BasicTransform]) -> list[BasicTransform]:
    """The same transforms, with those that move voxels wrapped."""
    steps: dict[type, FrameStep] = {SpatialTransform: spatial_step, MirrorTransform: mirror_step}
    return [FrameTracking(t, steps[type(t)]) if type(t) in steps else t for t in transforms]


def spatial_step(transform: SpatialTransform, params: Mapping[str, Any], shape: Sequence[int]) -> Frame:
    """Frame of a SpatialTransform, as in batchgeneratorsv2 0.3 spatial.py get_parameters and _apply_to_image.

    Raises:
        GeometryError: elastic deformation, which no affine frame can express.
    """
    if params["elastic_offsets"] is not None:
        raise GeometryError.about(
            "SpatialTransform drew an elastic deformation; patient frames are affine",
            fix="set p_elastic_deform=0 (nnU-Net's default)",
        )
    patch, center = np.asarray(transform.patch_size, float), np.asarray(params["center_location_in_pixels"], float)
    size = np.asarray(shape, float)
    if params["grid"] is None:  # integer crop, crop_tensor
        linear = np.eye(len(shape))
        offset = np.asarray([math.floor(c) for c in center]) - patch // 2
    else:
        linear = np.asarray(params["affine"], dtype=np.float64)
        offset = (size - 1) / 2 + (center - size / 2) - linear @ ((patch - 1) / 2)
    return np.hstack((linear, offset[:, None]))


def mirror_step(transform: MirrorTransform, params: Mapping[str, Any], shape: Sequence[int]) -> Frame:
    """Frame of a MirrorTransform."""
    return flip_frame(shape, params["axes"])


def _lift(frame: Frame, dimensions: int) -> Frame:
    """Extend a frame of the last axes by leading axes that stay (dummy-2D augmentation, pseudo2d.py)."""
    missing = dimensions - frame.shape[0]
    if missing == 0:
        return frame
    lifted = np.hstack((np.eye(dimensions), np.zeros((dimensions, 1))))
    lifted[missing:, missing:] = frame
    return lifted
