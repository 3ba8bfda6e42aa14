"""Memories, frames and feature maps for the tests of the adapters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from text_conditioning.assertion import Assertion
from text_conditioning.memory import Memory, ReportTensors

MEMORY_DIM = 16


def memory(sentences: int = 3, *, batch: int = 2, seed: int = 0) -> Memory:
    """Random tokens, all attendable."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(batch, 1 + sentences, MEMORY_DIM, generator=generator)
    return Memory(tokens, torch.zeros(batch, 1 + sentences), _summary(batch, sentences))


def null_memory(*, sentences: int = 3, batch: int = 2, seed: int = 0) -> Memory:
    """Nothing but the null token is attendable."""
    tokens, bias, summary = memory(sentences, batch=batch, seed=seed)
    tokens[:, 0] = 0.5
    bias[:, 1:] = float("-inf")
    return Memory(tokens, bias, summary)


def _summary(batch: int, sentences: int) -> Tensor:
    """Only the last sentence belongs to the impression."""
    summary = torch.zeros(batch, 1 + sentences, dtype=torch.bool)
    summary[:, 0] = summary[:, -1] = True
    return summary


def report(states: list[Assertion], *, dim: int = 8, padded: int = 0, seed: int = 0) -> ReportTensors:
    """One case whose sentences have these states; the same vector for every sentence."""
    length = len(states) + padded
    vectors = torch.randn(1, 1, dim, generator=torch.Generator().manual_seed(seed)).expand(1, length, dim)
    assertion = torch.tensor([[*states, *[Assertion.PRESENT] * padded]], dtype=torch.int64)
    none = torch.zeros(1, length, dtype=torch.int64)
    padding = torch.arange(length)[None] >= len(states)
    vectors = vectors.masked_fill(padding.unsqueeze(-1), 0.0)
    return ReportTensors(vectors, assertion, none, none, none, none, padding, none > 0)


def feature_map(dimensions: int, *, channels: int = 6, size: int = 8, seed: int = 1) -> Tensor:
    """``(2, C, *spatial)``."""
    return torch.randn(2, channels, *[size] * dimensions, generator=torch.Generator().manual_seed(seed))


def frame(dimensions: int, *, size: int = 8) -> Tensor:
    """Frame of a patch that is the whole volume; a slice lies in the middle."""
    result = torch.zeros(2, 3, dimensions + 1)
    result[:, :, -1] = 0.5
    for axis in range(dimensions):
        result[:, 3 - dimensions + axis, axis] = 1 / size
        result[:, 3 - dimensions + axis, -1] = 0.5 / size
    return result


def leave_identity(module: nn.Module, *, seed: int = 3) -> None:
    """Move all parameters away from their start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator))
