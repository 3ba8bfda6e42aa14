"""Stages that all reports share: what a report makes of them, and that it is nothing at the start."""

from __future__ import annotations

from math import prod

import pytest
import torch
from torch import nn

from nnunet_reportseg.network.shared_stages import SharedFinestStage, SharedStage

BELOW, CHANNELS, HEADS = 3, 4, 2
SIZES = [((2, 2, 2), (4, 6, 8)), ((1, 2, 2), (3, 4, 6)), ((2, 2), (6, 4)), ((1, 2, 4), (3, 4, 8))]


def upsampled(linear, below, stride):
    """What a transposed convolution with these weights makes of the coarse features."""
    d, channels = len(stride), linear.out_features // prod(stride)
    kernel = linear.weight.reshape(*stride, channels, BELOW).permute(d + 1, d, *range(d))
    transposed = nn.functional.conv_transpose3d if d == 3 else nn.functional.conv_transpose2d
    bias = linear.bias.reshape(*stride, channels).movedim(-1, 0).repeat(1, *below.shape[2:])
    return transposed(below, kernel, stride=stride) + bias


def tensors(stride, spatial):
    torch.manual_seed(0)
    below = torch.randn(5, BELOW, *(size // step for size, step in zip(spatial, stride, strict=True)))
    return torch.randn(1, CHANNELS, *spatial), below


@pytest.mark.parametrize(("stride", "spatial"), SIZES)
def test_features_are_scaled_and_shifted_as_by_a_transposed_convolution(stride, spatial):
    shared, below = tensors(stride, spatial)
    stage = SharedStage(BELOW, CHANNELS, stride)
    torch.testing.assert_close(stage(shared, below), shared.expand(5, *shared.shape[1:]), rtol=0, atol=0)
    for parameter in stage.parameters():
        nn.init.normal_(parameter)
    scale, shift = upsampled(stage.film, below, stride).chunk(2, 1)
    torch.testing.assert_close(stage(shared, below), shared * (1 + scale) + shift)


@pytest.mark.parametrize(("stride", "spatial"), SIZES)
def test_the_finest_stage_scales_and_shifts_before_its_head(stride, spatial):
    shared, below = tensors(stride, spatial)
    stage = SharedFinestStage(BELOW, CHANNELS, HEADS, stride)
    planned = torch.randn(1, HEADS, *spatial)
    torch.testing.assert_close(stage(planned, shared, below), planned.expand(5, *planned.shape[1:]), rtol=0, atol=0)
    for parameter in stage.parameters():
        nn.init.normal_(parameter)
    weights = upsampled(stage.weights, below, stride).unflatten(1, (HEADS, CHANNELS + 1))
    expected = planned + (weights[:, :, :-1] * shared.unsqueeze(1)).sum(2) + weights[:, :, -1]
    torch.testing.assert_close(stage(planned, shared, below), expected)
