"""Scores of masks under one condition: Dice, follow rate, follow rate of each attribute, false positives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from nnunet_reportseg.evaluation.paired import dice, followed

Array = NDArray[Any]


@dataclass(frozen=True)
class CaseScore:
    """Scores of one mask.

    Attributes:
        dice: against the lesion that counts as described.
        followed: whether the mask lies on this lesion rather than on another one; None where all lesions count.
        pairs: for each attribute, for each lesion that differs from the described one in this attribute alone, whether
            the mask lies on the described one rather than on that one.
        false_positive: voxels of the mask on denied lesions, as a part of these lesions' voxels; None without any.
    """

    dice: float
    followed: bool | None = None
    pairs: Mapping[str, tuple[bool, ...]] = field(default_factory=dict)
    false_positive: float | None = None


def score_case(
    mask: Array,
    lesions: Array,
    described: int,
    *,
    denied: Sequence[int] = (),
    others: Mapping[str, Sequence[int]] | None = None,
) -> CaseScore:
    """Score a mask against the lesion that the report describes.

    Args:
        mask: predicted mask, nonzero is foreground.
        lesions: lesion map of the same shape.
        described: value of the described lesion.
        denied: values of lesions that the report denies.
        others: for each attribute the lesions that differ from the described one in it alone.
    """
    own = dice(mask, lesions == described)
    pairs = {name: tuple(own > dice(mask, lesions == v) for v in values) for name, values in (others or {}).items()}
    return CaseScore(own, followed(mask, lesions, described), pairs, false_positive_part(mask, lesions, denied))


def false_positive_part(mask: Array, lesions: Array, denied: Sequence[int]) -> float | None:
    """Voxels of the mask that belong to denied lesions, over the voxels of these lesions.

    A voxel belongs to the lesion that is nearest to it, so that a mask beside a denied lesion counts too.
    """
    volume = int(np.isin(lesions, list(denied)).sum())
    if volume == 0:
        return None
    if not mask.any():
        return 0.0
    return float((np.isin(_nearest_lesion(lesions), list(denied)) & (mask != 0)).sum() / volume)


def part_of(mask: Array, lesions: Array, described: int) -> Array:
    """The voxels of the mask that are nearest to the described lesion, shape and dtype of the mask."""
    return mask * (_nearest_lesion(lesions) == described)


def _nearest_lesion(lesions: Array) -> Array:
    """For each voxel the value of the lesion that is nearest to it."""
    nearest = distance_transform_edt(lesions == 0, return_distances=False, return_indices=True)
    return lesions[tuple(nearest)]


def other_lesions(
    lesions: Sequence[Mapping[str, Any]], described: int, denied: Sequence[int], attributes: Sequence[str]
) -> dict[str, list[int]]:
    """For each attribute that reports tell, the lesions that differ from the described one in it alone.

    Args:
        lesions: of the volume, as in the manifest.
        described: value of the described lesion.
        denied: values of the denied ones; they differ from the others in their "state".
        attributes: that reports tell.
    """
    told = {
        lesion["value"]: {
            name: lesion["value"] in denied if name == "state" else lesion.get(name) for name in attributes
        }
        for lesion in lesions
    }
    own = told[described]
    differing = {value: [n for n in attributes if found[n] != own[n]] for value, found in told.items()}
    return {name: [value for value, names in differing.items() if names == [name]] for name in attributes}


def summary(scores: Sequence[CaseScore]) -> dict[str, Any]:
    """Means over cases, as a row of the results has them; None where nothing counts."""
    names = dict.fromkeys(name for score in scores for name in score.pairs)
    return {
        "dice": _mean([score.dice for score in scores]),
        "follow_rate": _mean([score.followed for score in scores if score.followed is not None]),
        "follow_rate_per_attribute": {
            name: _mean([pair for score in scores for pair in score.pairs.get(name, ())]) for name in names
        },
        "false_positive_part": _mean([s.false_positive for s in scores if s.false_positive is not None]),
        "cases": len(scores),
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
