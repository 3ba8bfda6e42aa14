"""Two levels of a report: coarse, the report as a whole and its impression, and fine, its sentences.

After Talk2MedSAM's hierarchical coarse/fine gated fusion: deep stages read the coarse level, shallow stages the fine
one, each with its own number of heads and initial gate. We deviate in that the fine level are sentences, not tokens,
and that both levels keep the null token, or that of a missing report.
"""

from __future__ import annotations

import torch

from text_conditioning.memory import Memory

COARSE_HEADS, COARSE_GATE = 4, 0.5
FINE_HEADS, FINE_GATE = 8, 0.8


def coarse_level(memory: Memory) -> Memory:
    """Null token, sentences of the impression, and the mean of all sentences as the last token.

    Args:
        memory: null token and sentences, ``(B, 1 + S, D)``.

    Returns:
        ``(B, 2 + S, D)``; what does not belong to the level has the bias -inf.
    """
    sentences = memory.tokens[:, 1:]
    there = (memory.bias[:, 1:] > float("-inf")).unsqueeze(-1)
    count = there.sum(dim=1)
    mean = (sentences * there).sum(dim=1) / count.clamp_min(1)
    minus_infinity = torch.full_like(memory.bias[:, :1], float("-inf"))
    bias = memory.bias.masked_fill(~memory.summary, float("-inf"))
    whole = torch.where(count > 0, torch.zeros_like(minus_infinity), minus_infinity)
    tokens = torch.cat((memory.tokens, mean.unsqueeze(1).to(memory.tokens.dtype)), dim=1)
    summary = torch.cat((memory.summary, count > 0), dim=1)
    return Memory(tokens, torch.cat((bias, whole), dim=1), summary)
