"""The scores of one prediction: against the case's target, and against what the report it was given asks for.

Dice is the mean over the labels or regions that occur in target or prediction; where none occurs both are empty and it
is 1. Voxels with the ignore label count neither way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.audit.altered import Altered
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.voxels import CaseVoxels, LabelArray, Mask, foreground
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.evaluation.paired import dice


@dataclass(frozen=True)
class Record:
    """One case under one condition; None where the audit cannot know.

    Attributes:
        case: the case.
        image: its image.
        condition: the condition.
        dice_original: Dice with the case's own target.
        dice_own: Dice with the target of the report that was given.
        original_empty: whether the case's own target is empty.
        own_empty: whether the target of the given report is empty.
        overlap: Dice of the two targets with each other: what a network that follows keeps of the first.
        predicted_empty: whether the prediction is empty.
        followed: whether the mask lies on the described finding rather than on another one.
        chance: follow rate of a mask that ignores the text: one over the number of findings.
        predicted_ml: volume of the prediction.
        original_ml: volume of the case's own target.
        false_positive_ml: predicted volume outside the target of the given report.
    """

    case: str
    image: str
    condition: str
    dice_original: float
    dice_own: float | None
    original_empty: bool
    own_empty: bool | None
    overlap: float | None
    predicted_empty: bool
    followed: bool | None
    chance: float | None
    predicted_ml: float
    original_ml: float
    false_positive_ml: float | None


def score(
    case: AuditCase, condition: str, altered: Altered, predicted: LabelArray, voxels: CaseVoxels, labels: LabelSet
) -> Record:
    """Score a prediction, ``(D, H, W)`` label values on the grid of the case's label."""
    counted = np.ones(voxels.label.shape, bool) if labels.ignore_label is None else voxels.label != labels.ignore_label
    predicted = np.where(counted, predicted, 0)
    original = np.where(counted, voxels.label, 0)
    own = None if altered.target is None else np.where(counted, voxels.target(altered.target, labels), 0)
    mask, wanted = foreground(predicted, labels), foreground(original, labels)
    asked = None if own is None else foreground(own, labels)
    followed, chance = _followed(mask, voxels.findings(case), altered.described)
    return Record(
        case=case.case_id,
        image=case.image_id,
        condition=condition,
        dice_original=mean_dice(predicted, original, labels),
        dice_own=None if own is None else mean_dice(predicted, own, labels),
        original_empty=not wanted.any(),
        own_empty=None if asked is None else not asked.any(),
        overlap=None if own is None else mean_dice(own, original, labels),
        predicted_empty=not mask.any(),
        followed=followed,
        chance=chance,
        predicted_ml=float(mask.sum()) * voxels.voxel_ml,
        original_ml=float(wanted.sum()) * voxels.voxel_ml,
        false_positive_ml=None if asked is None else float((mask & ~asked).sum()) * voxels.voxel_ml,
    )


def mean_dice(predicted: LabelArray, target: LabelArray, labels: LabelSet) -> float:
    """Mean Dice over the labels or regions that occur in either; 1 where none does."""
    scores = []
    for values in labels.regions.values():
        mine, theirs = np.isin(predicted, values), np.isin(target, values)
        if mine.any() or theirs.any():
            scores.append(dice(mine, theirs))
    return float(np.mean(scores)) if scores else 1.0


def _followed(mask: Mask, findings: dict[int, Mask], described: int | None) -> tuple[bool | None, float | None]:
    """As evaluation.paired.followed, for findings that may overlap."""
    if described is None or len(findings) < 2 or not findings[described].any():
        return None, None
    best_other = max(dice(mask, finding) for number, finding in findings.items() if number != described)
    return dice(mask, findings[described]) > best_other, 1 / len(findings)
