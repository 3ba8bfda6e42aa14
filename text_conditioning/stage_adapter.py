"""The adapter of one decoder stage: position, cross-attention, FiLM, in this order.

    x ── + position ── + attention(x, sentences) ── + feed-forward ── * (1 + scale) + shift ──>

Each part is the exact identity at initialisation, so a network with adapters starts as the network without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from text_conditioning.cross_attention import ReportCrossAttention
from text_conditioning.film import ReportFiLM
from text_conditioning.memory import Memory
from text_conditioning.position import PositionBias, interpolated
from text_conditioning.report_levels import COARSE_GATE, COARSE_HEADS, FINE_GATE, FINE_HEADS, coarse_level


@dataclass(frozen=True)
class AdapterConfig:
    """Sizes of the adapters; those of the feature maps come from the network. Limits hold where pydantic reads it.

    Attributes:
        memory_dim: dimension of a sentence token.
        heads: attention heads.
        head_dim: dimension of one head.
        attention_stages: number of stages with cross-attention, counted from the lowest resolution.
        position_bands: octaves of the position features; 0 switches position off.
        feed_forward: width of the feed-forward layer as a multiple of the channels; 0 for none.
        film: whether every stage has FiLM.
        gate: initial value of a learned gate on what attention adds, for each stage; None for no gate.
        hierarchical: whether the lower half of the stages with attention reads the coarse level of the report and the
            others its sentences, each with the heads and the gate of its level (text_conditioning.report_levels);
            then ``gate`` and the split of ``heads * head_dim`` into heads do not count.
        pooled: whether the sentences are pooled to one vector, as other systems do; for comparison, not for use.
        grounding: whether findings of a report can be asked for one by one.
        shared_stages: number of stages, counted from the highest resolution, that are decoded once for all reports,
            each of which then weighs their features: many reports of one image take far less time. Bottleneck and the
            stage above it are never shared.
        reads_report: False makes every report a missing one: the control that has the adapters and no text.
    """

    memory_dim: Annotated[int, Field(ge=1)] = 128
    heads: Annotated[int, Field(ge=1)] = 4
    head_dim: Annotated[int, Field(ge=1)] = 32
    attention_stages: Annotated[int, Field(ge=0)] = 3
    position_bands: Annotated[int, Field(ge=0)] = 4
    feed_forward: Annotated[int, Field(ge=0)] = 2
    film: bool = True
    gate: Annotated[float, Field(gt=0, lt=1)] | None = None
    hierarchical: bool = False
    pooled: bool = False
    grounding: bool = False
    shared_stages: Annotated[int, Field(ge=0)] = 0
    reads_report: bool = True


class StageAdapter(nn.Module):
    """Conditions the feature map of one stage on reports.

    Args:
        channels: ``C`` of the feature map.
        config: sizes.
        attention: whether this stage attends to the report.
        coarse: whether it attends to the coarse level instead of the sentences.
    """

    def __init__(self, channels: int, config: AdapterConfig, *, attention: bool, coarse: bool = False) -> None:
        super().__init__()
        self.coarse = coarse
        self.position = PositionBias(channels, config.position_bands) if config.position_bands else None
        self.attention: ReportCrossAttention | None = None
        if attention:
            heads, gate = config.heads, config.gate
            if config.hierarchical:
                heads, gate = (COARSE_HEADS, COARSE_GATE) if coarse else (FINE_HEADS, FINE_GATE)
            self.attention = ReportCrossAttention(
                channels,
                config.memory_dim,
                heads=heads,
                head_dim=max(1, config.heads * config.head_dim // heads),
                bands=config.position_bands,
                feed_forward=config.feed_forward,
                gate=gate,
            )
        self.film = ReportFiLM(channels, config.memory_dim) if config.film else None

    def forward(
        self, x: Tensor, memory: Memory, frame: Tensor, stride: Sequence[int], zoom: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Feature map of the same shape, and the attention where this stage has one (see ReportCrossAttention)."""
        given = x, memory, frame, stride, zoom
        if self.attention is not None:
            return self._condition(*given)
        # cheap to compute again, while two more maps of a fine stage would be kept for the backward pass
        conditioned: tuple[Tensor, Tensor | None] = checkpoint(self._condition, *given, use_reentrant=False)
        return conditioned

    def _condition(
        self, x: Tensor, memory: Memory, frame: Tensor, stride: Sequence[int], zoom: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        weights: Tensor | None = None
        if self.position is not None:
            x = self.position(x, frame, stride)
        if self.attention is not None:
            level = coarse_level(memory) if self.coarse else memory
            x, weights = self.attention(x, level, frame, stride, zoom)
            # the coarse level has no single sentences, so there is nothing to supervise
            weights = None if self.coarse else weights
        if self.film is not None:
            x = self.film(x, memory)
        return x, weights

    def segment(self, x: Tensor, memory: Memory, frame: Tensor, stride: Sequence[int], head: Any) -> Tensor:
        """What a segmentation head makes of the conditioned feature map, for a stage without attention.

        The same as the head of :meth:`forward`. Position and FiLM are linear in each voxel, as the head is: they go
        into its weights, so that at full resolution no map of ``C`` channels is written, or kept for the backward pass.

        Args:
            x: ``(B, C, *spatial)``.
            memory: the reports.
            frame: as in patient_coordinates.
            stride: patch voxels per voxel of ``x``.
            head: a convolution of one voxel, ``C`` to ``K`` channels.

        Returns:
            Logits ``(B, K, *spatial)``.
        """
        weight: Tensor = head.weight.flatten(1).unsqueeze(0)
        bias: Tensor = head.bias.unsqueeze(0)
        planned: Tensor
        with torch.no_grad():  # not to the bit the same on every processor: sums are taken in another order
            planned, product = head(x), _each_voxel(weight, x, bias)
        if self.film is not None:
            scale, shift = self.film.scale_shift_of(memory)
            bias = bias + shift.to(bias.dtype) @ weight[0].T
            weight = weight * (1 + scale.to(weight.dtype)).unsqueeze(1)
        # what the report changes is zero at initialisation, while the gradient is that of the whole
        logits = planned + (_each_voxel(weight, x, bias) - product)
        if self.position is not None:
            place, step = self.position.coarse(frame, x.shape[2:], stride)
            seen = _each_voxel(weight, place, torch.zeros_like(bias))
            logits = logits + interpolated(seen.to(logits.dtype), step)
        return logits


def _each_voxel(weight: Tensor, x: Tensor, bias: Tensor) -> Tensor:
    """Maps ``(B, K, C)`` and ``(B, K)``, or one for all, applied to each voxel of ``(B, C, *spatial)``."""
    # one map for all is repeated: a product that broadcasts over samples would copy x instead
    mapped = weight.repeat(max(1, len(x) // len(weight)), 1, 1) @ x.flatten(2)
    mapped = mapped.reshape(*mapped.shape[:2], *x.shape[2:])
    return mapped + bias.to(mapped.dtype).reshape(*bias.shape, *[1] * (x.ndim - 2))
