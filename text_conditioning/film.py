"""FiLM: feature-wise scale and shift from text (Perez et al., 2018, arXiv:1709.07871).

Deviation: the conditioning vector is pooled from the sentence memory by a learned query (attention pooling), with the
memory's bias, so that denied findings weigh less and a missing report is one token of its own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from text_conditioning.memory import Memory


class ReportFiLM(nn.Module):
    """``x * (1 + scale(report)) + shift(report)``; the exact identity at initialisation.

    Args:
        channels: ``C`` of the feature map.
        memory_dim: ``D`` of the memory tokens.
    """

    def __init__(self, channels: int, memory_dim: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(memory_dim) / math.sqrt(memory_dim))
        self.scale_shift = nn.Linear(memory_dim, 2 * channels)
        nn.init.zeros_(self.scale_shift.weight)
        nn.init.zeros_(self.scale_shift.bias)

    def scale_shift_of(self, memory: Memory) -> tuple[Tensor, Tensor]:
        """Scale and shift ``(B, C)``, 0 for none."""
        logits = memory.tokens @ self.query / math.sqrt(self.query.numel())
        logits = logits * memory.sharpness[:, None] + memory.bias
        pooled = (torch.softmax(logits, dim=1).unsqueeze(-1) * memory.tokens).sum(dim=1)
        scale, shift = self.scale_shift(pooled).chunk(2, dim=1)
        return scale, shift

    def forward(self, x: Tensor, memory: Memory) -> Tensor:
        """Modulate ``x`` of shape ``(B, C, *spatial)``; same shape and dtype out."""
        ones = [1] * (x.ndim - 2)
        scale, shift = (part.reshape(*part.shape, *ones).to(x.dtype) for part in self.scale_shift_of(memory))
        return torch.addcmul(shift, x, 1 + scale)
