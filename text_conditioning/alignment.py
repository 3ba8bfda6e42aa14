"""Alignment of image and text: a finding's voxels are nearer to its sentences than to any other sentence.

InfoNCE (van den Oord et al. 2018, arXiv:1807.03748) between the mean of a decoder stage over a finding's mask and the
finding's sentences, as in contrastive training of images and reports. We deviate in the negatives: besides the other
sentences of the batch they are hard ones, such as the same sentence about the other side.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from text_conditioning.attention_supervision import pooled
from text_conditioning.errors import AlignmentError

DIM = 64
_INITIAL_SCALE = 10.0  # inverse temperature, learned
_LARGEST_SCALE = 100.0


class Embedded(NamedTuple):
    """Voxels and sentences in the common space of the alignment.

    Attributes:
        voxels: ``(B, A, *stage)``.
        sentences: ``(B, S, A)``, those of the reports.
        negatives: ``(B, N, A)``, sentences that belong to no finding of their sample.
        there: ``(B, N)`` bool, False where there is no negative.
        scale: scalar, inverse temperature.
    """

    voxels: Tensor
    sentences: Tensor
    negatives: Tensor
    there: Tensor
    scale: Tensor


class AlignmentHead(nn.Module):
    """Linear maps of voxels and sentences into a common space.

    Args:
        channels: of the decoder stage.
        memory_dim: of the sentence tokens.
    """

    def __init__(self, channels: int, memory_dim: int) -> None:
        super().__init__()
        self.voxels = nn.Linear(channels, DIM)
        self.sentences = nn.Linear(memory_dim, DIM)
        self.log_scale = nn.Parameter(torch.tensor(math.log(_INITIAL_SCALE)))

    def forward(self, features: Tensor, tokens: Tensor, negatives: Tensor, there: Tensor) -> Embedded:
        """Embed.

        Args:
            features: ``(B, C, *stage)``.
            tokens: ``(B, S, D)`` sentence tokens of the reports.
            negatives: ``(B, N, D)`` sentence tokens of negatives.
            there: ``(B, N)`` bool.
        """
        return Embedded(
            self.voxels(features.movedim(1, -1)).movedim(-1, 1),
            self.sentences(tokens),
            self.sentences(negatives),
            there,
            self.log_scale.exp().clamp(max=_LARGEST_SCALE),
        )


def alignment_loss(embedded: Embedded, masks: Tensor, linked: Tensor, same: Tensor) -> Tensor | None:
    """Cross-entropy of each finding in view over its own sentences and all negatives.

    Args:
        embedded: voxels and sentences.
        masks: ``(B, F, *spatial)`` finding masks at any finer resolution.
        linked: ``(B, F, S)`` bool, sentences of each finding.
        same: ``(B * F, B * F)`` bool, findings whose sentences say the same; they are no negatives of each other.

    Returns:
        Scalar; None where no finding is in view that has a negative.

    Raises:
        AlignmentError: the loss is not finite.
    """
    with torch.autocast(embedded.voxels.device.type, enabled=False):
        loss = _loss(Embedded(*(tensor.float() for tensor in embedded)), masks.float(), linked.float(), same)
    if loss is not None and not torch.isfinite(loss):
        raise AlignmentError(f"The alignment loss is {loss.item()}. Lower the learning rate or set its weight to 0.")
    return loss


def _loss(embedded: Embedded, masks: Tensor, linked: Tensor, same: Tensor) -> Tensor | None:
    weights = pooled(masks, embedded.voxels.shape[2:]).flatten(2)  # (B, F, V)
    size = weights.sum(dim=-1)
    seen = torch.einsum("bfv,bav->bfa", weights, embedded.voxels.flatten(2)) / size.clamp_min(1).unsqueeze(-1)
    count = linked.sum(dim=-1)
    said = linked @ embedded.sentences / count.clamp_min(1).unsqueeze(-1)
    reported = (count > 0).flatten()
    chosen = ((size > 0).flatten() & reported).nonzero().flatten()
    if not len(chosen):
        return None
    seen, said = (nn.functional.normalize(t.flatten(0, 1), dim=-1) for t in (seen, said))
    negatives = nn.functional.normalize(embedded.negatives, dim=-1)
    own = torch.arange(len(said), device=said.device) == chosen.unsqueeze(1)
    sample = chosen // masks.shape[1]
    others = seen[chosen] @ said.T  # every finding of the batch that a report speaks of
    hard = torch.einsum("na,nka->nk", seen[chosen], negatives[sample])
    allowed = torch.cat((reported & (own | ~same[chosen]), embedded.there[sample] > 0), dim=1)
    # the scale comes first: -inf times the gradient 0 would be NaN
    logits = (embedded.scale * torch.cat((others, hard), dim=1)).masked_fill(~allowed, float("-inf"))
    judged = allowed.sum(dim=1) > 1
    if not judged.any():
        return None
    return nn.functional.cross_entropy(logits[judged], chosen[judged])
