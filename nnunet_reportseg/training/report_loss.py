"""nnU-Net's loss plus what supervises the reading, behind the signature that nnUNetTrainer.train_step calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nnunet_reportseg.conditioning import TrainingRecipe
from text_conditioning.alignment import Embedded, alignment_loss
from text_conditioning.attention_supervision import attention_supervision_loss, pooled


class ReadingTarget(NamedTuple):
    """What the reading of a batch is supervised with.

    Attributes:
        masks: ``(B, F, *spatial)`` finding masks at the resolution of the finest stage that reads, or finer.
        sentences: ``(B, F, S)`` bool, sentences of each finding that is in the report.
        same: ``(B * F, B * F)`` bool, findings whose sentences say the same.
    """

    masks: Tensor
    sentences: Tensor
    same: Tensor


class ReportLoss(nn.Module):
    """Segmentation loss; with a target for the reading, plus attention supervision and alignment.

    Args:
        segmentation: nnU-Net's loss.
        recipe: how the reading is supervised; attention supervision is averaged over stages.
    """

    def __init__(self, segmentation: Callable[[Any, Any], Tensor], recipe: TrainingRecipe) -> None:
        super().__init__()
        self.segmentation = segmentation
        self.weights = {"attention": recipe.attention_weight, "alignment": recipe.alignment_weight}
        self.target: ReadingTarget | None = None
        self._seen: dict[str, list[Tensor]] = {name: [] for name in self.weights}

    def forward(self, output: Any, target: Any) -> Tensor:
        """Loss of what the network returned, with or without how it was read."""
        if self.target is None or not isinstance(output, tuple):
            return self.segmentation(output[0] if isinstance(output, tuple) else output, target)
        logits, (attention, embedded) = output
        total = self.segmentation(logits, target)
        if attention and self.weights["attention"] > 0:
            masks, losses = self.target.masks, []
            for stage in reversed(attention):
                masks = pooled(masks, stage.shape[2:])  # of the finer stage before it
                losses.append(attention_supervision_loss(stage, masks, self.target.sentences))
            total = total + self._weighted("attention", torch.stack(losses).mean())
        if embedded is not None:
            aligned = alignment_loss(embedded, self.target.masks, self.target.sentences, self.target.same)
            if aligned is None:  # no finding in view: the head must still get its (zero) gradient on every GPU
                total = total + 0.0 * _touch(embedded)
            else:
                total = total + self._weighted("alignment", aligned)
        return total

    def _weighted(self, name: str, loss: Tensor) -> Tensor:
        self._seen[name].append(loss.detach())
        return self.weights[name] * loss

    def means(self) -> dict[str, float]:
        """Mean of each supervising loss since the last call; those that were never computed are left out."""
        found = {name: torch.stack(losses).mean().item() for name, losses in self._seen.items() if losses}
        for losses in self._seen.values():
            losses.clear()
        return found


def _touch(embedded: Embedded) -> Tensor:
    return embedded.voxels.sum() + embedded.sentences.sum() + embedded.negatives.sum() + embedded.scale
