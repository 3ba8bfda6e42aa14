"""Dice per case and label of a folder of predictions, with empty masks counted instead of dropped.

nnU-Net sets Dice to NaN where reference and prediction are both empty and averages without it, so a network that is
right about an absent finding gains nothing. Here such a pair scores 1, carries the status ``both_empty``, is counted,
and a second mean leaves out every empty reference.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.evaluation.overlap import STATUSES, Overlap, Status

logger = logging.getLogger(__name__)

EVALUATION_VERSION = 1


@dataclass(frozen=True)
class LabelScore:
    """Score of one label in one case.

    Attributes:
        case: Case identifier.
        label: Name of the label or region.
        dice: Dice coefficient; 1 where both masks are empty.
        n_ref: Voxels in the reference.
        n_pred: Voxels in the prediction.
        n_overlap: Voxels in both.
        status: As in `nnunet_reportseg.evaluation.overlap.Overlap.status`.
    """

    case: str
    label: str
    dice: float
    n_ref: int
    n_pred: int
    n_overlap: int
    status: Status


@dataclass(frozen=True)
class LabelSummary:
    """Scores of one label over all cases.

    Attributes:
        cases: Number of cases.
        dice_mean: Mean over all cases, both-empty pairs counted as 1.
        dice_mean_nonempty: Mean over cases whose reference has voxels; ``None`` where there are none.
        counts: How many cases have which status.
    """

    cases: int
    dice_mean: float
    dice_mean_nonempty: float | None
    counts: dict[str, int]


@dataclass(frozen=True)
class Evaluation:
    """Scores of a folder of predictions."""

    scores: tuple[LabelScore, ...]

    @property
    def summary(self) -> dict[str, LabelSummary]:
        """Per label, in the order of ``dataset.json``."""
        labels = dict.fromkeys(score.label for score in self.scores)
        return {label: _summarise([score for score in self.scores if score.label == label]) for label in labels}

    def write_csv(self, path: Path) -> None:
        """Write one row per case and label."""
        table = io.StringIO()
        writer = csv.DictWriter(table, [field.name for field in fields(LabelScore)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(score) for score in self.scores)
        write_text(path, table.getvalue())

    def write_json(self, path: Path) -> None:
        """Write summary and scores."""
        write_text(path, json.dumps(self.to_json(), indent=1) + "\n")

    def to_json(self) -> dict[str, Any]:
        """Return the content of the JSON file."""
        return {
            "evaluation_version": EVALUATION_VERSION,
            "summary": {label: asdict(summary) for label, summary in self.summary.items()},
            "scores": [asdict(score) for score in self.scores],
        }


def evaluate_folder(
    predictions: Path,
    references: Path,
    labels: LabelSet,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Score every reference against the prediction of the same name.

    Args:
        predictions: Folder with one label file per case.
        references: Folder with one label file per case; decides which cases are scored.
        labels: Labels or regions, from `nnunet_reportseg.dataset_json.read_label_set`.
        progress: Called with the number of cases done and the number of all.

    Returns:
        Scores per case and label.

    Raises:
        DatasetError: There are no references, a file is missing, unreadable or holds values that are no labels, or a
            prediction does not lie on the grid of its reference.
    """
    ending = labels.file_ending
    cases = sorted(file.name[: -len(ending)] for file in Path(references).glob(f"*{ending}"))
    if not cases:
        raise DatasetError.about(
            "no reference segmentations", file=references, value=ending, fix="name the folder with the label files"
        )
    missing = [case for case in cases if not (Path(predictions) / f"{case}{ending}").is_file()]
    if missing:
        raise DatasetError.about(
            f"{len(missing)} of {len(cases)} references have no prediction: {', '.join(missing[:20])}",
            case=missing[0],
            file=Path(predictions) / f"{missing[0]}{ending}",
            fix="predict these cases, or score a folder with the references of the predicted cases only",
        )
    extra = {file.name[: -len(ending)] for file in Path(predictions).glob(f"*{ending}")} - set(cases)
    if extra:
        logger.warning("%d predictions have no reference and are not scored: %s", len(extra), ", ".join(sorted(extra)))
    scores: list[LabelScore] = []
    for done, case in enumerate(cases, start=1):
        prediction, reference = (
            labels.read(Path(folder) / f"{case}{ending}", case=case) for folder in (predictions, references)
        )
        difference = prediction.grid.difference(reference.grid)
        if difference is not None:
            raise DatasetError.about(
                f"prediction and reference differ in {difference}",
                case=case,
                file=Path(predictions) / f"{case}{ending}",
                fix="predict on the image's own grid, or give the references of these predictions",
            )
        scores += score_case(case, prediction.voxels, reference.voxels, labels)
        if progress is not None:
            progress(done, len(cases))
    return Evaluation(tuple(scores))


def score_case(
    case: str, prediction: NDArray[np.int64], reference: NDArray[np.int64], labels: LabelSet
) -> list[LabelScore]:
    """Score one case.

    Args:
        case: Case identifier.
        prediction: Voxel values, ``(D, H, W)``.
        reference: Voxel values, ``(D, H, W)``.
        labels: Labels or regions.
    """
    counted = np.ones(reference.shape, dtype=bool) if labels.ignore_label is None else reference != labels.ignore_label
    return [
        _score(case, name, np.isin(prediction, values) & counted, np.isin(reference, values) & counted)
        for name, values in labels.regions.items()
    ]


def _score(case: str, label: str, prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> LabelScore:
    overlap = Overlap.of(prediction, reference)
    return LabelScore(case, label, overlap.dice, overlap.n_ref, overlap.n_pred, overlap.n_overlap, overlap.status)


def _summarise(scores: list[LabelScore]) -> LabelSummary:
    nonempty = [score.dice for score in scores if score.n_ref]
    return LabelSummary(
        cases=len(scores),
        dice_mean=float(np.mean([score.dice for score in scores])),
        dice_mean_nonempty=float(np.mean(nonempty)) if nonempty else None,
        counts={status: sum(score.status == status for score in scores) for status in STATUSES},
    )
