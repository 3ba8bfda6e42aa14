"""One patch under several reports: what a decoder stage does to the encoder's features is done once for all of them.

The first convolution of a stage reads the features from below, which a transposed convolution has brought to its
resolution, beside those of the encoder. A convolution of joined channels is the sum of two convolutions, and only the
part from below differs between reports. That part is a convolution of the features as they were below, because nothing
stands between the two: it needs no feature map at the stage's resolution before the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from dynamic_network_architectures.building_blocks.simple_conv_blocks import StackedConvBlocks
from torch import Tensor, nn

_WORTH_VOXELS = 100  # times the channels: where there are fewer voxels, making the kernel takes longer than it saves


def join(stage: nn.Module, up: nn.Module, below: Tensor, skip: Tensor) -> Tensor:
    """Apply a decoder stage to ``torch.cat((up(below), skip), 1)``.

    Follows dynamic_network_architectures 0.4 building_blocks/simple_conv_blocks.py (StackedConvBlocks and
    ConvDropoutNormReLU.forward), where the convolution is the first module of the first block, and unet_decoder.py
    (UNetDecoder), where ``up`` is a transposed convolution whose kernel is its stride.

    Args:
        stage: of the decoder.
        up: what brings the features from below to the resolution of the stage.
        below: ``(R, B, *coarse)``, one for each report.
        skip: ``(R, D, *spatial)``, or ``(1, D, *spatial)`` for one patch that all reports share.

    Returns:
        ``(R, E, *spatial)``, equal up to rounding.
    """
    reports = below.shape[0]
    if skip.shape[0] == reports or not isinstance(stage, StackedConvBlocks):
        joined: Tensor = stage(torch.cat((up(below), skip.expand(reports, *skip.shape[1:])), 1))
        return joined
    blocks: Sequence[Any] = list(stage.convs)
    convolution, *rest = blocks[0].all_modules
    channels = convolution.in_channels - skip.shape[1]
    weight = convolution.weight[:, :channels]
    shared = convolution._conv_forward(skip, convolution.weight[:, channels:], convolution.bias)
    worth = reports * shared[0, 0].numel() > _WORTH_VOXELS * channels
    if worth and _strided(up, convolution):
        features = _upsampled(up, weight, below, shared + _of_bias(up, convolution, weight, shared))
    else:
        features = convolution._conv_forward(up(below), weight, None)
        features += shared
    for module in (*rest, *blocks[1:]):
        features = module(features)
    return features


def _strided(up: Any, convolution: Any) -> bool:
    """Whether each fine voxel comes from one coarse voxel, and the convolution after it is an ordinary one."""
    return (
        isinstance(up, nn.ConvTranspose2d | nn.ConvTranspose3d)
        and up.kernel_size == up.stride
        and not any((*up.padding, *up.output_padding))
        and all(d == 1 for d in (*up.dilation, *convolution.dilation, *convolution.stride))
        and up.groups == convolution.groups == 1
        and convolution.padding_mode == "zeros"
        and convolution.padding == tuple(kernel // 2 for kernel in convolution.kernel_size)
        and all(kernel % 2 for kernel in convolution.kernel_size)
    )


def _of_bias(up: Any, convolution: Any, weight: Tensor, shared: Tensor) -> Tensor:
    """What the convolution makes of the bias of ``up``, which is the same in all voxels that are not at the border."""
    if up.bias is None:
        return shared.new_zeros(())
    spatial = shared.shape[2:]
    # so large that one voxel does not see the border
    small = [min(n, kernel) for n, kernel in zip(spatial, convolution.kernel_size, strict=True)]
    constant = up.bias.reshape(1, -1, *[1] * len(spatial)).expand(1, -1, *small)
    found: Tensor = convolution._conv_forward(constant, weight, None)
    for axis in reversed(range(len(spatial))):  # the last first: what is copied often lies together in memory
        n, kernel = spatial[axis], small[axis]
        middle = kernel // 2
        places = [*range(middle), *[middle] * (n - kernel + 1), *range(middle + 1, kernel)]
        found = found.index_select(axis + 2, torch.tensor(places, device=found.device))
    return found


@dataclass(frozen=True)
class _Axis:
    """How fine voxel ``stride * i + phase`` sees coarse voxels, along one axis.

    Attributes:
        first: for each phase, where the coarse voxels start that it sees, from ``i``.
        taps: how many of them a kernel must have.
        chosen: ``(phase, coarse tap, fine tap, phase of the fine tap)``, 1 where the fine tap lies in the coarse one.
    """

    first: tuple[int, ...]
    taps: int
    chosen: Tensor

    @classmethod
    def of(cls, stride: int, kernel: int) -> _Axis:
        """For a transposed convolution of this stride before a convolution with this kernel."""
        seen = [[divmod(phase + tap - kernel // 2, stride) for tap in range(kernel)] for phase in range(stride)]
        spans = [[coarse for coarse, _ in of_phase] for of_phase in seen]
        taps = max(max(span) - min(span) + 1 for span in spans)
        last = max(map(max, spans))  # no phase's taps go on behind it: as far as the padding reaches
        first = tuple(min(*span, last - taps + 1) for span in spans)
        chosen = torch.zeros(stride, taps, kernel, stride)
        for phase, of_phase in enumerate(seen):
            for tap, (coarse, within) in enumerate(of_phase):
                chosen[phase, coarse - first[phase], tap, within] = 1
        return cls(first, taps, chosen)


def _upsampled(up: Any, weight: Tensor, below: Tensor, added: Tensor) -> Tensor:
    """``convolution(up(below)) + added`` without the bias of either, from one convolution of ``below``.

    A fine voxel sees few coarse ones, the same for all of one phase: each phase is a channel of that convolution.
    """
    strides = up.stride
    axes = [_Axis.of(stride, kernel) for stride, kernel in zip(strides, weight.shape[2:], strict=True)]
    kernel = _composed(up.weight, weight, axes)
    padding = [-min(axis.first) for axis in axes]
    convolve = nn.functional.conv3d if len(axes) == 3 else nn.functional.conv2d
    phases = convolve(below, kernel.flatten(0, len(axes)), padding=padding)
    phases = phases.unflatten(1, kernel.shape[: len(axes) + 1])
    sizes = below.shape[2:]
    features = added.to(phases).repeat(len(below), *[1] * (added.ndim - 1))
    for phase in product(*map(range, strides)):
        starts = [axis.first[p] + pad for axis, p, pad in zip(axes, phase, padding, strict=True)]
        coarse = [slice(start, start + n) for start, n in zip(starts, sizes, strict=True)]
        fine = (slice(None), slice(None), *(slice(p, None, s) for p, s in zip(phase, strides, strict=True)))
        features[fine] += phases[(slice(None), *phase, slice(None), *coarse)]
    return features


def _composed(transposed: Tensor, weight: Tensor, axes: Sequence[_Axis]) -> Tensor:
    """Kernel of a transposed convolution and the convolution after it, ``(*phases, E, B, *taps)``.

    Args:
        transposed: ``(B, C, *strides)``.
        weight: ``(E, C, *kernel)``.
        axes: one for each spatial axis.
    """
    d = len(axes)
    coarse, fine, out = 0, 1, 2
    phases, taps, kernels, strides = (list(range(3 + n * d, 3 + (n + 1) * d)) for n in range(4))
    operands: list[Any] = [transposed, [coarse, fine, *strides], weight, [out, fine, *kernels]]
    for axis, *places in zip(axes, phases, taps, kernels, strides, strict=True):
        operands += [axis.chosen.to(weight), places]
    return torch.einsum(*operands, [*phases, out, coarse, *taps])
