"""An audit from its cases to its verdict: alter the reports, predict, score, summarise, judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnunet_reportseg.audit.altered import Altered, NotApplicable
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.conditions.registry import CONDITIONS, alter, require_conditions
from nnunet_reportseg.audit.prediction import Reader
from nnunet_reportseg.audit.scores import Record, score
from nnunet_reportseg.audit.summary import ConditionSummary, summarise
from nnunet_reportseg.audit.verdict import Verdict, judge
from nnunet_reportseg.bootstrap import SEED
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.errors import DatasetError


@dataclass(frozen=True)
class Audit:
    """The result.

    Attributes:
        facts: what was audited, on what, and how.
        cases: names of the cases.
        without_report: cases that have no report and were left out.
        records: scores of each case under each condition.
        skipped: case, condition and reason where a condition does not apply.
        summaries: by condition.
        verdict: what it comes to.
    """

    facts: Mapping[str, Any]
    cases: tuple[str, ...]
    without_report: tuple[str, ...]
    records: tuple[Record, ...]
    skipped: tuple[tuple[str, str, str], ...]
    summaries: Mapping[str, ConditionSummary]
    verdict: Verdict


def run_audit(
    cases: Sequence[AuditCase],
    labels: LabelSet,
    reader: Reader,
    *,
    conditions: Sequence[str] = CONDITIONS,
    max_cases: int | None = None,
    facts: Mapping[str, Any] | None = None,
    seed: int = SEED,
    progress: Callable[[int, int], None] | None = None,
) -> Audit:
    """Audit a network.

    Args:
        cases: the labelled cases; those without a report are left out, and named.
        labels: of the dataset.
        reader: the network.
        conditions: names; ``correct`` is always among them.
        max_cases: predict at most this many of the cases, evenly spread over images; reports of all cases may still be
            drawn on.
        facts: to write into the result.
        seed: of everything that is random.
        progress: called with the number of cases done and the number of all.

    Raises:
        DatasetError: an unknown condition, no case with a report, an unreadable label, or a prediction on another grid.
    """
    names = require_conditions(conditions)
    told = [case for case in cases if case.report.sentences]
    if not told:
        raise DatasetError.about("no case has a report", value=len(cases), fix="audit cases with reports")
    altered = alter(told, names, seed)
    chosen = spread(told, max_cases)
    reader.prepare(
        chosen,
        {
            f"{case.case_id} ({name})": made.report
            for case in chosen
            for name, made in altered[case.case_id].items()
            if isinstance(made, Altered)
        },
    )
    records: list[Record] = []
    skipped: list[tuple[str, str, str]] = []
    for done, case in enumerate(chosen, start=1):
        made = altered[case.case_id]
        skipped += [(case.case_id, n, a.reason) for n, a in made.items() if isinstance(a, NotApplicable)]
        records += _score_case(case, {n: a for n, a in made.items() if isinstance(a, Altered)}, labels, reader)
        if progress is not None:
            progress(done, len(chosen))
    summaries = summarise(records, skipped, names, seed=seed)
    return Audit(
        facts={**(facts or {}), "conditions": list(names), "seed": seed},
        cases=tuple(case.case_id for case in chosen),
        without_report=tuple(case.case_id for case in cases if not case.report.sentences),
        records=tuple(records),
        skipped=tuple(skipped),
        summaries=summaries,
        verdict=judge(summaries, [case.alternatives for case in chosen]),
    )


def spread(cases: Sequence[AuditCase], at_most: int | None) -> list[AuditCase]:
    """At most so many cases, from as many images as possible."""
    if at_most is None or at_most >= len(cases):
        return list(cases)
    turn: dict[str, int] = {}
    order = []
    for place, case in enumerate(cases):
        turn[case.image_id] = turn.get(case.image_id, -1) + 1
        order.append((turn[case.image_id], place))
    return [cases[place] for _, place in sorted(sorted(order)[:at_most], key=lambda item: item[1])]


def _score_case(case: AuditCase, altered: Mapping[str, Altered], labels: LabelSet, reader: Reader) -> list[Record]:
    voxels = reader.voxels(case, labels)
    records = []
    for (name, made), predicted in zip(altered.items(), reader.read(case, list(altered.values())), strict=True):
        if predicted.shape != voxels.label.shape:
            raise DatasetError.about(
                f"image and label differ in shape: {predicted.shape} and {voxels.label.shape}",
                case=case.case_id,
                file=case.label,
                fix="give the label on the grid of the image",
            )
        records.append(score(case, name, made, predicted, voxels, labels))
    return records
