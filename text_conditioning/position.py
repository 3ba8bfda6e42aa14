"""Where a voxel lies in the patient: affine patch frames and their Fourier features.

A convolution in a patch cannot know left from right, or the upper from the lower lobe. Each patch therefore carries the
affine map from its voxel indices to patient coordinates. The map is exact for every crop, rotation, scaling and flip,
costs ``3 x (d + 1)`` numbers per patch, and gives coordinates at any resolution of the network without an image of
coordinates.

Patient coordinates run towards the patient's left, posterior and superior (LPS, as DICOM and ITK), 0 to 1 over the
volume; values outside occur where a patch reaches beyond the volume. Fourier features follow Tancik et al. 2020,
arXiv:2006.10739.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

AXES = 3
COARSEST_STRIDE = 4  # position varies slowly: finer stages interpolate the features of this stride ...
FEWEST_POINTS = 32  # ... along axes that keep this many points, eight for each period of the fourth octave


def patient_coordinates(frame: Tensor, shape: Sequence[int], stride: Sequence[int]) -> Tensor:
    """Patient coordinates of the voxel centres of one stage.

    Args:
        frame: ``(B, 3, d + 1)`` affine from patch voxel indices to patient coordinates.
        shape: spatial shape of the stage, length ``d``.
        stride: patch voxels per stage voxel along each axis, length ``d``.

    Returns:
        ``(B, 3, *shape)``.
    """
    # Products and sums only: a matrix product would run in half precision under autocast.
    batch, rows, _ = frame.shape
    ones = [1] * len(shape)
    coordinates = frame[:, :, -1].reshape(batch, rows, *ones)
    for axis, (size, step) in enumerate(zip(shape, stride, strict=True)):
        index = torch.arange(size, device=frame.device, dtype=frame.dtype) * step + (step - 1) / 2
        index = index.reshape([size if i == axis else 1 for i in range(len(shape))])
        coordinates = coordinates + frame[:, :, axis].reshape(batch, rows, *ones) * index
    return coordinates


class FourierFeatures(nn.Module):
    """Coordinates and their sines and cosines at ``bands`` octaves; no parameters.

    The lowest band has half a period over the volume, so that a single feature separates left from right.
    """

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.features = AXES * (1 + 2 * bands)

    def forward(self, coordinates: Tensor) -> Tensor:
        """``(B, 3, *spatial)`` to ``(B, features, *spatial)``."""
        centred = coordinates - 0.5
        parts = [2 * centred]
        for band in range(self.bands):
            angle = centred * (math.pi * 2**band)
            parts += [torch.sin(angle), torch.cos(angle)]
        return torch.cat(parts, dim=1)


class PositionBias(nn.Module):
    """Adds a linear map of the Fourier features to a feature map; the exact identity at initialisation.

    Args:
        channels: ``C`` of the feature map.
        bands: octaves of the Fourier features.
    """

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.fourier = FourierFeatures(bands)
        self.projection = nn.Linear(self.fourier.features, channels)
        nn.init.zeros_(self.projection.weight)
        nn.init.zeros_(self.projection.bias)

    def forward(self, x: Tensor, frame: Tensor, stride: Sequence[int]) -> Tensor:
        """Condition a feature map.

        Args:
            x: ``(B, C, *spatial)``.
            frame: as in patient_coordinates, or of one patch that all of ``x`` shows.
            stride: as in patient_coordinates.

        Returns:
            Same shape and dtype as ``x``.
        """
        bias, step = self.coarse(frame, x.shape[2:], stride)
        # in the order of x, else the interpolated bias and all that follows are read and written across memory
        bias = bias.to(x.dtype, memory_format=torch.contiguous_format)
        return x + interpolated(bias, step)

    def coarse(self, frame: Tensor, spatial: Sequence[int], stride: Sequence[int]) -> tuple[Tensor, list[int]]:
        """What is added, before it is interpolated.

        Args:
            frame: as in patient_coordinates.
            spatial: shape of the feature map.
            stride: as in patient_coordinates.

        Returns:
            ``(B, C, *coarse)`` and the factors for :func:`interpolated`.
        """
        step = [max(1, -(-COARSEST_STRIDE // s)) for s in stride]
        step = [_coarsest(n, size) for n, size in zip(step, spatial, strict=True)]
        shape = [size // n for size, n in zip(spatial, step, strict=True)]
        coordinates = patient_coordinates(frame, shape, [s * n for s, n in zip(stride, step, strict=True)])
        bias: Tensor = self.projection(self.fourier(coordinates).movedim(1, -1)).movedim(-1, 1)
        return bias, step


def interpolated(x: Tensor, factors: Sequence[int]) -> Tensor:
    """Linear interpolation of ``(B, C, *spatial)`` to ``factors`` times as many points.

    As torch.nn.functional.interpolate without align_corners, one axis after the other by matrix products: in three
    dimensions its backward pass takes several times as long.
    """
    for axis, factor in enumerate(factors, start=2):
        if factor == 1:
            continue
        size = x.shape[axis]
        # place of each new point among the old ones, whose centres lie at whole numbers
        place = ((torch.arange(size * factor, device=x.device) + 0.5) / factor - 0.5).clamp(0, size - 1)
        weights = (1 - (place[:, None] - torch.arange(size, device=x.device)).abs()).clamp_min(0).to(x.dtype)
        before, after = x.shape[:axis], x.shape[axis + 1 :]
        x = (weights @ x.flatten(axis + 1)).reshape(*before, -1, *after) if after else x @ weights.T
    return x


def _coarsest(step: int, size: int) -> int:
    """The largest step up to ``step`` that divides ``size`` and leaves enough points; 1 at worst."""
    return max(n for n in range(1, step + 1) if n == 1 or (size % n == 0 and size // n >= FEWEST_POINTS))
