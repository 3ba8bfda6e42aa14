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

_LEAST_COUNT = 1e-6  # of the sentences of a report


def coarse_level(memory: Memory) -> Memory:
    """Null token, sentences of the impression, and the mean of all sentences that count as the last token.

    Args:
        memory: null token and sentences, ``(B, 1 + S, D)``.

    Returns:
        ``(B, 2 + S, D)``; what does not belong to the level has the bias -inf.
    """
    sentences = memory.tokens[:, 1:]
    counts = memory.log_counts[:, 1:].exp().unsqueeze(-1)
    mean = (sentences * counts).sum(dim=1) / counts.sum(dim=1).clamp_min(_LEAST_COUNT)
    there = (memory.log_counts[:, 1:] > float("-inf")).any(dim=1, keepdim=True)
    whole = torch.zeros_like(memory.bias[:, :1]).masked_fill(~there, float("-inf"))
    bias, counted = (logits.masked_fill(~memory.summary, float("-inf")) for logits in (memory.bias, memory.log_counts))
    return Memory(
        tokens=torch.cat((memory.tokens, mean.unsqueeze(1).to(memory.tokens.dtype)), dim=1),
        bias=torch.cat((bias, whole), dim=1),
        summary=torch.cat((memory.summary, there), dim=1),
        log_counts=torch.cat((counted, whole), dim=1),
        relevance=memory.relevance,
    )
