"""The report as a padded set of sentence tokens that voxels can attend to.

Every sentence is one token (docs/design.md: one vector per report hides which side a finding is on). A token is the
projected, whitened sentence vector plus embeddings of what the encoder represents badly: assertion, laterality, level
(upper, middle, lower), rank by size (the larger, the smaller) and section. A learned null token, always attendable,
stands for "the report says nothing of it". A missing report is another learned token in its place, alone: what no
sentence mentions is not to be segmented, yet without a report everything is, and one token for both left remnants of
denied lesions (docs/design.md).

Softmax over a long report spreads out: sixty sentences that say nothing take from the one that matters. Attention
logits are therefore multiplied by the logarithm of the number of tokens (scalable softmax, Nakanishi 2025,
arXiv:2501.19399), here without its learned factor, which the projections of queries and keys can take over.

The additive attention bias per assertion state follows the state-guided attention of OS-RRG. Here it is learned, but
for what has resolved: that is out of sight, so that no voxel attends to the sentence that says so, and its lesion is
one that the report does not mention (docs/design.md). What is denied stays in sight: it teaches what belongs to no
finding.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from text_conditioning.assertion import Assertion
from text_conditioning.laterality import Laterality
from text_conditioning.levels import Level
from text_conditioning.ranks import Rank
from text_conditioning.reports import Section

_OUT_OF_SIGHT = -20.0
_INITIAL_BIAS = {
    Assertion.PRESENT: 0.0,
    Assertion.UNCERTAIN: -1.0,
    Assertion.ABSENT: -4.0,
    Assertion.HISTORICAL: _OUT_OF_SIGHT,  # not learned
}

_CONTEXT_BIAS = -4.0  # of sentences around the one that is asked for, at the start

# plain numbers: compiled, torch 2.14 takes a comparison of a tensor with a member of an IntEnum to be False
_HISTORICAL, _IMPRESSION = int(Assertion.HISTORICAL), int(Section.IMPRESSION)

_USUAL_TOKENS = 8  # of which the logits are taken as they are: a short report


class ReportTensors(NamedTuple):
    """A batch of reports; ``B`` cases padded to ``S`` sentences of ``E``-dimensional vectors.

    Attributes:
        vectors: ``(B, S, E)`` sentence vectors; zero where padded.
        assertion: ``(B, S)`` int64, values of :class:`Assertion`.
        laterality: ``(B, S)`` int64, values of :class:`Laterality`.
        level: ``(B, S)`` int64, values of :class:`Level`.
        rank: ``(B, S)`` int64, values of :class:`Rank`.
        section: ``(B, S)`` int64, values of :class:`Section`.
        padding: ``(B, S)`` bool, True where there is no sentence.
        asked: ``(B, S)`` bool, True for the words that are asked for, where the rest of the report is their context.
    """

    vectors: Tensor
    assertion: Tensor
    laterality: Tensor
    level: Tensor
    rank: Tensor
    section: Tensor
    padding: Tensor
    asked: Tensor

    def to(self, device: torch.device | str) -> ReportTensors:
        """The same batch on another device."""
        return ReportTensors(*(tensor.to(device, non_blocking=True) for tensor in self))


class Memory(NamedTuple):
    """What the adapters attend to.

    Attributes:
        tokens: ``(B, 1 + S, D)``; token 0 is the null token, or that of a missing report.
        bias: ``(B, 1 + S)`` added to attention logits; -inf where padded.
        summary: ``(B, 1 + S)`` bool: null token and sentences that sum the report up (its impression).
    """

    tokens: Tensor
    bias: Tensor
    summary: Tensor

    @property
    def sharpness(self) -> Tensor:
        """``(B,)`` factor of attention logits, before the bias is added: grows with the number of tokens."""
        count = (self.bias > float("-inf")).sum(dim=1)
        return torch.log(count + 1.0) / math.log(_USUAL_TOKENS + 1.0)

    def expand(self, batch: int) -> Memory:
        """The memory of one report for a batch of patches."""
        return Memory(*(tensor.expand(batch, *tensor.shape[1:]) for tensor in self))


class ReportMemory(nn.Module):
    """Projects :class:`ReportTensors` to :class:`Memory`.

    Args:
        text_dim: ``E``, dimension of the sentence vectors.
        memory_dim: ``D``, dimension of the tokens.
        pooled: whether the sentences of a report become one token, their mean.
        grounding: whether some of the sentences can be asked for: they are marked, and the others recede.
    """

    def __init__(self, text_dim: int, memory_dim: int, *, pooled: bool = False, grounding: bool = False) -> None:
        super().__init__()
        self.pooled = pooled
        self.projection = nn.Linear(text_dim, memory_dim)
        self.assertion = nn.Embedding(len(Assertion), memory_dim)
        self.laterality = nn.Embedding(len(Laterality), memory_dim)
        self.level = nn.Embedding(len(Level), memory_dim)
        self.rank = nn.Embedding(len(Rank), memory_dim, padding_idx=int(Rank.NONE))
        self.section = nn.Embedding(len(Section), memory_dim)
        self.norm = nn.LayerNorm(memory_dim)
        self.null = nn.Parameter(torch.randn(1, 1, memory_dim))
        self.missing = nn.Parameter(torch.randn(1, 1, memory_dim))
        self.assertion_bias = nn.Parameter(torch.tensor([_INITIAL_BIAS[state] for state in sorted(Assertion)]))
        self.asked = nn.Parameter(torch.randn(memory_dim)) if grounding else None
        self.context_bias = nn.Parameter(torch.tensor(_CONTEXT_BIAS)) if grounding else None

    def forward(self, report: ReportTensors) -> Memory:
        """Tokens and attention bias of a batch of reports, shapes as in :class:`Memory`."""
        tokens = (
            self.projection(report.vectors)
            + self.assertion(report.assertion)
            + self.laterality(report.laterality)
            + self.level(report.level)
            + self.rank(report.rank)
            + self.section(report.section)
        )
        batch = tokens.shape[0]
        padding, summary = report.padding, report.section == _IMPRESSION
        bias = self.assertion_bias[report.assertion].masked_fill(report.assertion == _HISTORICAL, _OUT_OF_SIGHT)
        if self.asked is not None and self.context_bias is not None:
            asked = report.asked.to(tokens.dtype)
            tokens = tokens + asked.unsqueeze(-1) * self.asked
            bias = bias * (1 - asked) + self.context_bias * (1 - asked)
        if self.pooled:
            there = (~padding).unsqueeze(-1).to(tokens.dtype)
            tokens = (tokens * there).sum(dim=1, keepdim=True) / there.sum(dim=1, keepdim=True).clamp_min(1)
            padding = padding.all(dim=1, keepdim=True)
            bias, summary = torch.zeros_like(bias[:, :1]), ~padding
        first = torch.where(padding.all(dim=1)[:, None, None], self.missing, self.null)
        tokens = torch.cat((first.to(tokens.dtype), tokens), dim=1)
        bias = torch.cat((bias.new_zeros(batch, 1), bias.masked_fill(padding, float("-inf"))), dim=1)
        summary = torch.cat((torch.ones_like(padding[:, :1]), summary & ~padding), dim=1)
        return Memory(self.norm(tokens), bias, summary)
