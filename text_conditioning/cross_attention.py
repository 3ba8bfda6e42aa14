"""Voxels attend to sentences (cross-attention with a feed-forward layer, Vaswani et al. 2017, arXiv:1706.03762).

Queries are voxels with their position, keys and values the sentence memory. Both residual branches end in a
zero-initialised projection: the block is the exact identity at initialisation and yet has a gradient (a zero gate on
top would have none; an optional gate therefore starts well above zero).

There are many voxels and few sentences, so both chains of products are multiplied from the side of the sentences: keys
with the weights of the query, values with those of the output. No query is ever written for a voxel.

nnU-Net's augmentation enlarges or shrinks some patches, and the report speaks of sizes as they were before: a query
that is to fit "the smaller nodule" or "8 mm" must know by how much. It learns a direction for it (docs/design.md,
"Size"); in prediction nothing is enlarged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from text_conditioning.memory import Memory
from text_conditioning.position import FourierFeatures, patient_coordinates

# per unit of the logarithm: nnU-Net's augmentation, voxels of 0.7 to 1.4 times the size, is -1.7 to 1.8
_ZOOM_UNITS = 5.0


class ReportCrossAttention(nn.Module):
    """Cross-attention and feed-forward on a feature map.

    Args:
        channels: ``C`` of the feature map.
        memory_dim: ``D`` of the memory tokens.
        heads: attention heads.
        head_dim: dimension of one head.
        bands: octaves of the position features of the queries; 0 for queries without position.
        feed_forward: width of the feed-forward layer as a multiple of ``C``; 0 for none.
        gate: initial value, between 0 and 1, of a learned gate on what attention adds; None for no gate.
    """

    def __init__(
        self,
        channels: int,
        memory_dim: int,
        *,
        heads: int,
        head_dim: int,
        bands: int,
        feed_forward: int,
        gate: float | None = None,
    ) -> None:
        super().__init__()
        inner = heads * head_dim
        self.heads, self.head_dim = heads, head_dim
        self.norm = nn.LayerNorm(channels)
        self.query = nn.Linear(channels, inner)
        self.query_zoom = nn.Parameter(torch.zeros(inner))
        self.fourier = FourierFeatures(bands) if bands else None
        self.query_position = nn.Linear(self.fourier.features, inner, bias=False) if self.fourier else None
        self.key = nn.Linear(memory_dim, inner, bias=False)
        self.value = nn.Linear(memory_dim, inner)
        self.out = nn.Linear(inner, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.gate = None if gate is None else nn.Parameter(torch.tensor(math.log(gate / (1 - gate))))
        self.feed_forward: nn.Sequential | None = None
        if feed_forward:
            last = nn.Linear(feed_forward * channels, channels)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
            self.feed_forward = nn.Sequential(
                nn.LayerNorm(channels), nn.Linear(channels, feed_forward * channels), nn.GELU(), last
            )

    def forward(
        self, x: Tensor, memory: Memory, frame: Tensor, stride: Sequence[int], zoom: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Condition a feature map.

        Args:
            x: ``(B, C, *spatial)``.
            memory: the reports.
            frame: ``(B, 3, d + 1)``, or ``(1, 3, d + 1)`` for one patch, see :mod:`text_conditioning.position`.
            stride: patch voxels per voxel of ``x``.
            zoom: ``(B,)`` logarithm of how much larger than in the image the patch shows things; None for not at all.

        Returns:
            The feature map, same shape and dtype, and the attention ``(B, 1 + S, *spatial)``, averaged over heads.
        """
        batch, _, *spatial = x.shape
        voxels = x.flatten(2).transpose(1, 2)
        asking, weight = self.norm(voxels), self.query.weight
        if self.fourier is not None and self.query_position is not None:
            position = self.fourier(patient_coordinates(frame, spatial, stride)).flatten(2).transpose(1, 2)
            asking = torch.cat((asking, position.expand(batch, -1, -1).to(asking.dtype)), dim=-1)
            weight = torch.cat((weight, self.query_position.weight), dim=1)
        scale = memory.sharpness / math.sqrt(self.head_dim)
        key = self._split(self.key(memory.tokens)) * scale[:, None, None, None]
        value = self._split(self.value(memory.tokens))
        bias = self.query.bias[None]
        if zoom is not None:
            bias = bias + _ZOOM_UNITS * zoom[:, None] * self.query_zoom
        offset = key @ bias.reshape(-1, self.heads, self.head_dim, 1) + memory.bias[:, None, :, None]
        asked = (key @ weight.reshape(self.heads, self.head_dim, -1)).flatten(1, 2)
        logits = asking @ asked.transpose(1, 2) + offset.flatten(1).unsqueeze(1)
        attention = torch.softmax(logits.reshape(*logits.shape[:2], self.heads, -1), dim=-1)
        said = (value @ self._split(self.out.weight).transpose(-1, -2)).flatten(1, 2)
        added = torch.baddbmm(self.out.bias, attention.flatten(2).to(said.dtype), said)
        if self.gate is not None:
            added = torch.sigmoid(self.gate) * added
        voxels = voxels + added.to(x.dtype)
        if self.feed_forward is not None:
            voxels = voxels + self.feed_forward(voxels).to(x.dtype)
        # a mean over heads would be divided in its backward pass, by a copy of all of the attention in another layout
        weights = (attention.sum(dim=2) * (1 / self.heads)).transpose(1, 2).reshape(batch, -1, *spatial)
        return voxels.transpose(1, 2).reshape(x.shape), weights

    def _split(self, tokens: Tensor) -> Tensor:
        """``(..., N, inner)`` to ``(..., heads, N, head_dim)``."""
        return tokens.reshape(*tokens.shape[:-1], self.heads, self.head_dim).transpose(-3, -2)
