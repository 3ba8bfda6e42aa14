"""nnU-Net's loss plus attention supervision, behind the signature that nnUNetTrainer.train_step calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from text_conditioning.attention_supervision import attention_supervision_loss


class AttentionTarget(NamedTuple):
    """What attention is supervised with, for the batch at hand.

    Attributes:
        masks: ``(B, F, *patch)`` finding masks.
        sentences: ``(B, F, S)`` bool, sentences of each finding that is in the report.
    """

    masks: Tensor
    sentences: Tensor


class ReportLoss(nn.Module):
    """Segmentation loss; with a target for the attention, plus its weighted supervision.

    Args:
        segmentation: nnU-Net's loss.
        weight: of the attention supervision, averaged over stages.
    """

    def __init__(self, segmentation: Callable[[Any, Any], Tensor], weight: float) -> None:
        super().__init__()
        self.segmentation = segmentation
        self.weight = weight
        self.target: AttentionTarget | None = None
        self.attention_losses: list[Tensor] = []

    def forward(self, output: Any, target: Any) -> Tensor:
        """Loss of what the network returned, with or without attention maps."""
        if self.target is None or not isinstance(output, tuple):
            return self.segmentation(output[0] if isinstance(output, tuple) else output, target)
        logits, maps = output
        masks, sentences = self.target
        attention = torch.stack([attention_supervision_loss(m, masks, sentences) for m in maps]).mean()
        self.attention_losses.append(attention.detach())
        return self.segmentation(logits, target) + self.weight * attention

    def mean_attention_loss(self) -> float | None:
        """Mean attention loss since the last call; None where attention was not supervised."""
        if not self.attention_losses:
            return None
        mean = torch.stack(self.attention_losses).mean().item()
        self.attention_losses.clear()
        return mean
