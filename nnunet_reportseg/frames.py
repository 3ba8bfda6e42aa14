"""Affine frames: from patch voxel indices to voxel indices of the preprocessed volume to patient coordinates.

A frame is ``(rows, d + 1)``: the linear part and, as last column, the offset. Frames compose through crops, spatial
augmentation, flips and sliding windows, so that a patch's position is exact whatever nnU-Net does to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Frame = NDArray[np.float64]


def crop_frame(lower: Sequence[int], dimensions: int) -> Frame:
    """Frame of a box of the volume.

    Args:
        lower: first voxel of the box along each of the volume's three axes.
        dimensions: 3, or 2 for a slice (the patch then has the last two axes).

    Returns:
        ``(3, dimensions + 1)``.
    """
    linear = np.eye(3)[:, 3 - dimensions :]
    return np.hstack((linear, np.asarray(lower, dtype=np.float64)[:, None]))


def compose(outer: Frame, inner: Frame) -> Frame:
    """The frame that applies ``inner`` first: ``outer(inner(index))``."""
    linear = outer[:, :-1] @ inner[:, :-1]
    offset = outer[:, :-1] @ inner[:, -1:] + outer[:, -1:]
    return np.hstack((linear, offset))


def flip_frame(shape: Sequence[int], axes: Sequence[int]) -> Frame:
    """Frame of a patch of ``shape`` flipped along ``axes``: index to index before the flip."""
    dimensions = len(shape)
    frame = np.hstack((np.eye(dimensions), np.zeros((dimensions, 1))))
    for axis in axes:
        frame[axis, axis] = -1.0
        frame[axis, -1] = shape[axis] - 1.0
    return frame


def patient_frame(shape: Sequence[int], axes: Sequence[int], signs: Sequence[int]) -> Frame:
    """Frame from voxel indices of the volume to patient coordinates (towards left, posterior, superior), 0 to 1.

    Args:
        shape: of the preprocessed volume, three axes.
        axes: array axis that runs along each patient axis.
        signs: +1 where the index grows along the patient axis, -1 where it falls.

    Returns:
        ``(3, 4)``; voxel centres, so the first voxel of n lies at 0.5 / n.
    """
    frame = np.zeros((3, 4))
    for row, (axis, sign) in enumerate(zip(axes, signs, strict=True)):
        frame[row, axis] = sign / shape[axis]
        frame[row, -1] = (0.5 if sign > 0 else shape[axis] - 0.5) / shape[axis]
    return frame


def log_zoom(before: Frame, after: Frame) -> float:
    """By how much larger a patch shows things after augmentation, as a logarithm: mean over its axes.

    Args:
        before: frame of the patch as it was cropped.
        after: its frame after augmentation.
    """

    def voxel(frame: Frame) -> float:
        linear = frame[:, :-1]
        return float(np.linalg.slogdet(linear.T @ linear)[1]) / (2 * linear.shape[1])

    return voxel(before) - voxel(after)


def reflected(frame: Frame) -> Frame:
    """The same patch in the mirrored patient: left-right coordinate ``x`` becomes ``1 - x``."""
    result = frame.copy()
    result[0] = -result[0]
    result[0, -1] += 1.0
    return result


def frame_tensor(frame: Frame) -> Tensor:
    """The frame of one patch as the network takes it."""
    return torch.from_numpy(frame.astype(np.float32))[None]
