"""The protocol of ReXGroundingCT: Dice and hit rate per finding, precision, recall and F1 over instances.

Baharoon et al. 2025, arXiv 2507.22030, and https://rexrank.ai/ReXGroundingCT. Two empty masks score a Dice of 1 and
are a hit. Instances of the reference are the connected components of its mask, as those of the prediction are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnunet_reportseg.bootstrap import Interval, bootstrap_mean, bootstrap_ratio
from nnunet_reportseg.evaluation.instances import label_instances, match_instances
from nnunet_reportseg.evaluation.mask_pair import MaskPair
from nnunet_reportseg.evaluation.overlap import Status

HIT_DICE = 0.1
INSTANCE_DICE = 0.2
MIN_VOXELS = 10
MAX_INSTANCES = 50


@dataclass(frozen=True)
class GroundingScore:
    """Score of one finding.

    Attributes:
        case: Case identifier.
        finding: Its id.
        category: Where a table gives one.
        dice: Dice coefficient; 1 where both masks are empty.
        hit: 1 where Dice is at least 0.1, else 0.
        n_ref: Voxels in the reference.
        n_pred: Voxels in the prediction.
        n_overlap: Voxels in both.
        status: As in `nnunet_reportseg.evaluation.overlap.Overlap.status`.
        instances_ref: Instances of the reference.
        instances_pred: Instances of the prediction.
        instances_matched: Pairs of both with a Dice of at least 0.2.
    """

    case: str
    finding: str
    category: str | None
    dice: float
    hit: int
    n_ref: int
    n_pred: int
    n_overlap: int
    status: Status
    instances_ref: int
    instances_pred: int
    instances_matched: int


def score(case: str, finding: str, category: str | None, pair: MaskPair) -> GroundingScore:
    """Score the masks of one finding."""
    overlap = pair.overlap
    prediction, reference = (
        label_instances(mask, min_voxels=MIN_VOXELS, at_most=MAX_INSTANCES)
        for mask in (pair.prediction, pair.reference)
    )
    return GroundingScore(
        case=case,
        finding=finding,
        category=category,
        dice=overlap.dice,
        hit=int(overlap.dice >= HIT_DICE),
        n_ref=overlap.n_ref,
        n_pred=overlap.n_pred,
        n_overlap=overlap.n_overlap,
        status=overlap.status,
        instances_ref=reference[1].size,
        instances_pred=prediction[1].size,
        instances_matched=len(match_instances(prediction, reference, min_dice=INSTANCE_DICE)),
    )


def estimate(scores: Sequence[GroundingScore], seed: int) -> dict[str, Interval | None]:
    """Means over findings and ratios of sums over findings (micro-averages), with intervals over cases.

    Args:
        scores: Of some findings.
        seed: Of the bootstrap.

    Returns:
        By name; None where nothing can be measured.
    """
    cases = [s.case for s in scores]
    present = [s for s in scores if s.n_ref]
    absent = [s for s in scores if not s.n_ref]
    predicted, true = [s.instances_pred for s in scores], [s.instances_ref for s in scores]
    matched = [s.instances_matched for s in scores]
    both = [p + t for p, t in zip(predicted, true, strict=True)]
    return {
        "dice": bootstrap_mean([s.dice for s in scores], cases, seed=seed),
        "hit_rate": bootstrap_mean([s.hit for s in scores], cases, seed=seed),
        "instance_precision": bootstrap_ratio(matched, predicted, cases, seed=seed),
        "instance_recall": bootstrap_ratio(matched, true, cases, seed=seed),
        "instance_f1": bootstrap_ratio([2 * m for m in matched], both, cases, seed=seed),
        "dice_present": bootstrap_mean([s.dice for s in present], [s.case for s in present], seed=seed),
        "absent_empty": bootstrap_mean([s.n_pred == 0 for s in absent], [s.case for s in absent], seed=seed),
    }
