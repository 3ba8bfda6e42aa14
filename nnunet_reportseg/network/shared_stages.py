"""The finest decoder stages, decoded once for all reports: a report only weighs what those stages found.

Full resolution is where a decoder spends most of its time. What is asked for where can be told at a coarser one, and
what lies where at full resolution is the same under all reports. So each report has decoder stages of its own as far as
the shared ones; from there its features scale and shift those of the decoder without a report, voxel by voxel (FiLM:
Perez et al. 2018, arXiv 1709.07871, with values that differ from voxel to voxel). Of one image under many prompts, SAM
likewise computes features once and has each prompt weigh them, with the same weights in all voxels (Kirillov et al.
2023, arXiv 2304.02643, mask decoder).

Everything is zero at initialisation, so a network starts as the planned one.

What the coarse features give for the ``P`` fine voxels that lie in one coarse voxel are ``P`` times as many channels at
the coarse resolution: as a transposed convolution whose kernel is its stride, without its slow way to memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn


class SharedStage(nn.Module):
    """Scales and shifts the features of a stage without a report by those of the stage below under each report.

    Args:
        below: channels ``B`` of the stage below.
        channels: ``C`` of this stage.
        stride: voxels of this stage per voxel of the one below, ``P`` in all.
    """

    def __init__(self, below: int, channels: int, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = tuple(stride)
        self.film = _zero_map(below, prod(stride) * 2 * channels)

    def forward(self, shared: Tensor, below: Tensor) -> Tensor:
        """Features under each report.

        Args:
            shared: ``(R or 1, C, *spatial)``.
            below: ``(R, B, *coarse)``.

        Returns:
            ``(R, C, *spatial)``.
        """
        scale, shift = _mapped(self.film, below, prod(self.stride)).chunk(2, 2)
        features = _phases(shared, self.stride).to(scale)
        return _fine(torch.addcmul(shift, features, scale) + features, self.stride)


class SharedFinestStage(nn.Module):
    """The same for the finest stage and its segmentation head, without a map of ``C`` shifted channels between them.

    Args:
        below: channels ``B`` of the stage below.
        channels: ``C`` of the finest stage.
        heads: ``K`` outputs of the segmentation head.
        stride: voxels of the finest stage per voxel of the one below, ``P`` in all.
    """

    def __init__(self, below: int, channels: int, heads: int, stride: Sequence[int]) -> None:
        super().__init__()
        self.stride = tuple(stride)
        self.heads = heads
        self.weights = _zero_map(below, prod(stride) * heads * (channels + 1))

    def forward(self, planned: Tensor, shared: Tensor, below: Tensor) -> Tensor:
        """Logits under each report.

        Args:
            planned: ``(R or 1, K, *spatial)``, what the planned head makes of ``shared``.
            shared: ``(R or 1, C, *spatial)``.
            below: ``(R, B, *coarse)``.

        Returns:
            ``(R, K, *spatial)``.
        """
        weights = _mapped(self.weights, below, prod(self.stride) * self.heads)
        weights = weights.unflatten(1, (-1, self.heads))
        features = _phases(shared, self.stride).to(weights).unsqueeze(2)
        changed = (weights[:, :, :, :-1] * features).sum(3) + weights[:, :, :, -1]
        return planned + _fine(changed, self.stride)


def _zero_map(inputs: int, outputs: int) -> nn.Linear:
    linear = nn.Linear(inputs, outputs)
    for parameter in linear.parameters():
        nn.init.zeros_(parameter)
    return linear


def _mapped(linear: nn.Linear, below: Tensor, parts: int) -> Tensor:
    """Each voxel of ``(R, B, *coarse)`` mapped, ``(R, parts, outputs / parts, *coarse)``."""
    mapped = linear.weight @ below.flatten(2)
    mapped = mapped + linear.bias.to(mapped.dtype).unsqueeze(-1)
    return mapped.reshape(len(below), parts, -1, *below.shape[2:])


def _phases(fine: Tensor, stride: Sequence[int]) -> Tensor:
    """``(R, C, *spatial)`` as ``(R, P, C, *coarse)``."""
    d = len(stride)
    split = [n for size, step in zip(fine.shape[2:], stride, strict=True) for n in (size // step, step)]
    order = (0, *range(3, 3 + 2 * d, 2), 1, *range(2, 2 + 2 * d, 2))
    return fine.reshape(*fine.shape[:2], *split).permute(order).flatten(1, d)


def _fine(phases: Tensor, stride: Sequence[int]) -> Tensor:
    """``(R, P, C, *coarse)`` as ``(R, C, *spatial)``."""
    d = len(stride)
    split = phases.unflatten(1, tuple(stride))
    order = (0, 1 + d, *(axis for i in range(d) for axis in (2 + d + i, 1 + i)))
    sizes = [size * step for size, step in zip(phases.shape[3:], stride, strict=True)]
    return split.permute(order).reshape(phases.shape[0], phases.shape[2], *sizes)
