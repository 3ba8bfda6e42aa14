"""Scores a folder of per-finding predictions with one of the protocols, and writes the result as CSV and JSON.

Every finding of every referenced case is scored, empty masks included; nothing is dropped. Intervals are bootstrapped
over cases, since the findings of a case share an image.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.bootstrap import LEVEL, SAMPLES, SEED, Interval
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.evaluation import general, rexgroundingct
from nnunet_reportseg.evaluation.categories import require_categories_known
from nnunet_reportseg.evaluation.finding_pairs import find_cases, read_pairs
from nnunet_reportseg.evaluation.general import GeneralScore
from nnunet_reportseg.evaluation.mask_pair import MaskPair
from nnunet_reportseg.evaluation.overlap import STATUSES
from nnunet_reportseg.evaluation.rexgroundingct import GroundingScore
from nnunet_reportseg.sidecar import Sidecar

FINDING_EVALUATION_VERSION = 1

FindingScore = GroundingScore | GeneralScore


@dataclass(frozen=True)
class Protocol:
    """How findings are scored.

    Attributes:
        row: Type of the score of one finding.
        score: Scores case, finding, category and masks.
        estimate: Summarises scores, for a seed of the bootstrap.
    """

    row: type[FindingScore]
    score: Callable[[str, str, str | None, MaskPair], FindingScore]
    estimate: Callable[[Sequence[Any], int], dict[str, Interval | None]]


PROTOCOLS: Mapping[str, Protocol] = {
    "rexgroundingct": Protocol(GroundingScore, rexgroundingct.score, rexgroundingct.estimate),
    "general": Protocol(GeneralScore, general.score, general.estimate),
}


@dataclass(frozen=True)
class FindingSummary:
    """Scores of a group of findings.

    Attributes:
        findings: Their number.
        cases: Number of cases that they are in.
        counts: How many findings have which status.
        estimates: Means and ratios by name; None where nothing can be measured.
    """

    findings: int
    cases: int
    counts: dict[str, int]
    estimates: dict[str, Interval | None]


@dataclass(frozen=True)
class FindingEvaluation:
    """Scores of a folder of per-finding predictions.

    Attributes:
        protocol: Name of the protocol.
        scores: One for each finding.
        overall: Over all findings.
        categories: Over the findings of each category, in alphabetical order; empty without categories.
    """

    protocol: str
    scores: tuple[FindingScore, ...]
    overall: FindingSummary
    categories: dict[str, FindingSummary]

    def write_csv(self, path: Path) -> None:
        """Write one row per finding; what cannot be measured is left empty."""
        table = io.StringIO()
        names = [field.name for field in fields(PROTOCOLS[self.protocol].row)]
        writer = csv.DictWriter(table, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(score) for score in self.scores)
        write_text(path, table.getvalue())

    def write_json(self, path: Path) -> None:
        """Write summaries and scores."""
        write_text(path, json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def to_json(self) -> dict[str, Any]:
        """Return the content of the JSON file."""
        return {
            "finding_evaluation_version": FINDING_EVALUATION_VERSION,
            "protocol": self.protocol,
            "bootstrap": {"level": LEVEL, "samples": SAMPLES, "seed": SEED},
            "summary": _plain(self.overall),
            "categories": {category: _plain(summary) for category, summary in self.categories.items()},
            "findings": [asdict(score) for score in self.scores],
        }


def evaluate_findings(
    predictions: Path,
    references: Path,
    sidecar: Sidecar,
    labels: LabelSet,
    protocol: str,
    *,
    categories: Mapping[tuple[str, str], str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FindingEvaluation:
    """Score the predicted mask of every finding.

    Args:
        predictions: Folder with a folder for each case, see `nnunet_reportseg.finding_files`.
        references: Folder with one label file per case; decides which cases are scored.
        sidecar: Findings of the cases, with their label values in the label files.
        labels: Of the ``dataset.json`` of the references.
        protocol: One of `PROTOCOLS`.
        categories: From `nnunet_reportseg.evaluation.categories.read_categories`.
        progress: Called with the number of cases done and the number of all.

    Returns:
        Scores and summaries.

    Raises:
        SidecarError: The sidecar does not fit the references.
        DatasetError: A file is missing or unreadable, or prediction, sidecar, references and categories do not fit.
    """
    cases = find_cases(predictions, references, sidecar, labels)
    if categories is not None:
        require_categories_known(categories, cases)
    how, known = PROTOCOLS[protocol], categories or {}
    scores: list[FindingScore] = []
    for done, case in enumerate(cases, start=1):
        for finding, pair in read_pairs(case, labels):
            scores.append(how.score(case.case, finding.id, known.get((case.case, finding.id)), pair))
        if progress is not None:
            progress(done, len(cases))
    names = sorted({score.category for score in scores if score.category is not None})
    return FindingEvaluation(
        protocol,
        tuple(scores),
        _summarise(scores, how),
        {name: _summarise([score for score in scores if score.category == name], how) for name in names},
    )


def _summarise(scores: Sequence[FindingScore], protocol: Protocol) -> FindingSummary:
    counts = Counter(score.status for score in scores)
    return FindingSummary(
        findings=len(scores),
        cases=len({score.case for score in scores}),
        counts={status: counts[status] for status in STATUSES},
        estimates=protocol.estimate(scores, SEED),
    )


def _plain(summary: FindingSummary) -> dict[str, Any]:
    estimates = {
        name: None
        if interval is None
        else {
            "value": interval.value,
            "low": interval.low,
            "high": interval.high,
            "findings": interval.cases,
            "cases": interval.images,
        }
        for name, interval in summary.estimates.items()
    }
    return {"findings": summary.findings, "cases": summary.cases, "counts": summary.counts, **estimates}
