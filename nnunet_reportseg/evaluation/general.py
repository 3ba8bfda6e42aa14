"""The general protocol: overlap, distances of surfaces, volume and lesions of each finding, in mm and ml.

Two empty masks have a Dice and a surface Dice of 1, one empty mask has 0; a distance to nothing does not exist, so
HD95 is left empty there, and the number of findings of its mean says over how many it was taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.bootstrap import Interval, bootstrap_mean, bootstrap_ratio
from nnunet_reportseg.evaluation.instances import label_instances
from nnunet_reportseg.evaluation.mask_pair import MaskPair
from nnunet_reportseg.evaluation.overlap import Status
from nnunet_reportseg.evaluation.surface import SurfaceDistances

TOLERANCES_MM = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class GeneralScore:
    """Score of one finding.

    Attributes:
        case: Case identifier.
        finding: Its id.
        category: Where a table gives one.
        dice: Dice coefficient; 1 where both masks are empty.
        nsd_1mm: Normalised surface Dice at 1 mm; 1 where both masks are empty, 0 where one is.
        nsd_2mm: At 2 mm.
        nsd_5mm: At 5 mm.
        hd95_mm: 95th percentile of surface distances; None where a mask is empty.
        volume_ref_ml: Volume of the reference.
        volume_pred_ml: Volume of the prediction.
        volume_error_ml: Predicted volume less that of the reference.
        relative_volume_error: The same as part of the reference; None where that is empty.
        lesions_ref: Connected components of the reference (18 neighbours), of any size.
        lesions_found: Those with a voxel of the prediction.
        lesions_pred: Connected components of the prediction.
        lesions_true: Those with a voxel of the reference.
        status: As in `nnunet_reportseg.evaluation.overlap.Overlap.status`.
    """

    case: str
    finding: str
    category: str | None
    dice: float
    nsd_1mm: float
    nsd_2mm: float
    nsd_5mm: float
    hd95_mm: float | None
    volume_ref_ml: float
    volume_pred_ml: float
    volume_error_ml: float
    relative_volume_error: float | None
    lesions_ref: int
    lesions_found: int
    lesions_pred: int
    lesions_true: int
    status: Status


def score(case: str, finding: str, category: str | None, pair: MaskPair) -> GeneralScore:
    """Score the masks of one finding."""
    overlap, distances = pair.overlap, SurfaceDistances.of(pair)
    without_surface = 1.0 if overlap.status == "both_empty" else 0.0
    nsd = [distances.surface_dice(tolerance) for tolerance in TOLERANCES_MM]
    nsd_1mm, nsd_2mm, nsd_5mm = (without_surface if value is None else value for value in nsd)
    excess = overlap.n_pred - overlap.n_ref
    (true, true_sizes), (predicted, predicted_sizes) = map(label_instances, (pair.reference, pair.prediction))
    return GeneralScore(
        case=case,
        finding=finding,
        category=category,
        dice=overlap.dice,
        nsd_1mm=nsd_1mm,
        nsd_2mm=nsd_2mm,
        nsd_5mm=nsd_5mm,
        hd95_mm=distances.hd95,
        volume_ref_ml=overlap.n_ref * pair.voxel_ml,
        volume_pred_ml=overlap.n_pred * pair.voxel_ml,
        volume_error_ml=excess * pair.voxel_ml,
        relative_volume_error=excess / overlap.n_ref if overlap.n_ref else None,
        lesions_ref=true_sizes.size,
        lesions_found=int(np.count_nonzero(np.unique(true[pair.prediction]))),
        lesions_pred=predicted_sizes.size,
        lesions_true=int(np.count_nonzero(np.unique(predicted[pair.reference]))),
        status=overlap.status,
    )


def estimate(scores: Sequence[GeneralScore], seed: int) -> dict[str, Interval | None]:
    """Means over findings and, for lesions, ratios of sums over findings, with intervals over cases.

    Args:
        scores: Of some findings.
        seed: Of the bootstrap.

    Returns:
        By name; None where nothing can be measured.
    """

    def mean(value: Callable[[GeneralScore], float | None]) -> Interval | None:
        known = [(v, s.case) for s in scores if (v := value(s)) is not None]
        return bootstrap_mean([v for v, _ in known], [case for _, case in known], seed=seed)

    def ratio(top: Callable[[GeneralScore], int], bottom: Callable[[GeneralScore], int]) -> Interval | None:
        tops, bottoms = [top(s) for s in scores], [bottom(s) for s in scores]
        return bootstrap_ratio(tops, bottoms, [s.case for s in scores], seed=seed)

    return {
        "dice": mean(lambda s: s.dice),
        "nsd_1mm": mean(lambda s: s.nsd_1mm),
        "nsd_2mm": mean(lambda s: s.nsd_2mm),
        "nsd_5mm": mean(lambda s: s.nsd_5mm),
        "hd95_mm": mean(lambda s: s.hd95_mm),
        "absolute_volume_error_ml": mean(lambda s: abs(s.volume_error_ml)),
        "volume_bias_ml": mean(lambda s: s.volume_error_ml),
        "absolute_relative_volume_error": mean(
            lambda s: None if s.relative_volume_error is None else abs(s.relative_volume_error)
        ),
        "lesion_sensitivity": ratio(lambda s: s.lesions_found, lambda s: s.lesions_ref),
        "lesion_precision": ratio(lambda s: s.lesions_true, lambda s: s.lesions_pred),
        "false_lesions": mean(lambda s: s.lesions_pred - s.lesions_true),
        "dice_present": mean(lambda s: s.dice if s.status in ("overlap", "missed") else None),
    }
