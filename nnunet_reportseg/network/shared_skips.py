"""One patch under several reports: what a decoder stage does to the encoder's features is done once for all of them.

The first convolution of a stage reads the features from below beside those of the encoder. A convolution of joined
channels is the sum of two convolutions, and only the part from below differs between reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from dynamic_network_architectures.building_blocks.simple_conv_blocks import StackedConvBlocks
from torch import Tensor, nn


def join(stage: nn.Module, below: Tensor, skip: Tensor) -> Tensor:
    """Apply a decoder stage to ``torch.cat((below, skip), 1)``.

    Follows dynamic_network_architectures 0.4 building_blocks/simple_conv_blocks.py (StackedConvBlocks and
    ConvDropoutNormReLU.forward), where the convolution is the first module of the first block.

    Args:
        stage: of the decoder.
        below: ``(R, C, *spatial)``, one for each report.
        skip: ``(R, D, *spatial)``, or ``(1, D, *spatial)`` for one patch that all reports share.

    Returns:
        ``(R, E, *spatial)``, equal up to rounding.
    """
    reports = below.shape[0]
    if skip.shape[0] == reports or not isinstance(stage, StackedConvBlocks):
        joined: Tensor = stage(torch.cat((below, skip.expand(reports, *skip.shape[1:])), 1))
        return joined
    blocks: Sequence[Any] = list(stage.convs)
    convolution, *rest = blocks[0].all_modules
    channels = below.shape[1]
    features: Tensor = convolution._conv_forward(below, convolution.weight[:, :channels], None)
    features += convolution._conv_forward(skip, convolution.weight[:, channels:], convolution.bias)
    for module in (*rest, *blocks[1:]):
        features = module(features)
    return features
