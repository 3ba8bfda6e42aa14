"""Scores of each condition over the cases, with paired bootstrap intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nnunet_reportseg.audit.conditions.registry import CORRECT, Kind, kind_of
from nnunet_reportseg.audit.scores import Record
from nnunet_reportseg.bootstrap import Interval, bootstrap_mean, bootstrap_ratio

ANOTHER_TARGET = 0.8  # two targets with a higher Dice than this cannot be told apart by a segmentation


@dataclass(frozen=True)
class ConditionSummary:
    """One condition; None where there is no case to measure it on.

    Attributes:
        condition: its name.
        dice_original: mean Dice with the cases' own targets.
        dice_own: mean Dice with the targets of the given reports, where these are known.
        difference: mean Dice under the correct report minus that under this one, same cases, own targets.
        targets: number of images with a target that is not empty.
        lost: part of the correct report's Dice that is lost, over cases with a target. Under wrong text, over cases
            whose target is not, for the most part, what the given report asks for too, and as part of what a network
            that follows would lose: it keeps what the two targets have in common.
        redirected: how well the target of the given report is segmented, as part of the correct report's Dice, over
            cases in which the two targets are known and differ. Where nothing is asked for, one minus the predicted
            volume as part of the lesion volume counts instead of Dice.
        follow_rate: part of the cases whose mask lies on the described finding rather than on another one.
        chance: the follow rate of a mask that ignores the text.
        presence_accuracy: part of the cases in which the prediction is empty exactly where the target is.
        false_positive_ml: mean predicted volume outside the target of the given report.
        false_positive_share: the same as part of the lesion volume.
        skipped: why the condition does not apply to cases, and to how many.
    """

    condition: str
    dice_original: Interval | None
    dice_own: Interval | None
    difference: Interval | None
    targets: int
    lost: Interval | None
    redirected: Interval | None
    follow_rate: Interval | None
    chance: float | None
    presence_accuracy: Interval | None
    false_positive_ml: Interval | None
    false_positive_share: Interval | None
    skipped: Mapping[str, int]


def summarise(
    records: Sequence[Record], skipped: Sequence[tuple[str, str, str]], conditions: Sequence[str], *, seed: int = 0
) -> dict[str, ConditionSummary]:
    """Summaries by condition.

    Args:
        records: one for each case and condition.
        skipped: case, condition and reason where a condition does not apply.
        conditions: in the order of the result.
        seed: of the bootstrap; the same draws for all conditions.
    """
    correct = {record.case: record for record in records if record.condition == CORRECT}
    result = {}
    for name in conditions:
        mine = [record for record in records if record.condition == name]
        reasons = Counter(reason for _, condition, reason in skipped if condition == name)
        result[name] = _summary(name, mine, correct, dict(reasons), seed)
    return result


def _summary(
    name: str, records: Sequence[Record], correct: Mapping[str, Record], skipped: Mapping[str, int], seed: int
) -> ConditionSummary:
    def mean(value: Callable[[Record], float | None]) -> Interval | None:
        known = [(v, record.image) for record in records if (v := value(record)) is not None]
        return bootstrap_mean([v for v, _ in known], [image for _, image in known], seed=seed)

    def ratio(
        of: Sequence[Record], top: Callable[[Record], float], bottom: Callable[[Record], float]
    ) -> Interval | None:
        return bootstrap_ratio([top(r) for r in of], [bottom(r) for r in of], [r.image for r in of], seed=seed)

    def with_correct(record: Record) -> float:
        return correct[record.case].dice_original

    def at_stake(record: Record) -> float:
        return with_correct(record) * (1 - (record.overlap or 0.0) if wrong else 1)

    wrong = kind_of(name) is Kind.WRONG
    targets = [r for r in records if not r.original_empty]
    telling = [r for r in targets if not wrong or (r.overlap or 0.0) <= ANOTHER_TARGET]
    moved = [r for r in targets if r.overlap is not None and r.overlap <= ANOTHER_TARGET]
    known = [r for r in records if r.false_positive_ml is not None]
    chances = [r.chance for r in records if r.chance is not None]
    return ConditionSummary(
        condition=name,
        dice_original=mean(lambda r: r.dice_original),
        dice_own=mean(lambda r: r.dice_own),
        difference=mean(lambda r: with_correct(r) - r.dice_original),
        targets=len({r.image for r in targets}),
        lost=ratio(telling, lambda r: with_correct(r) - r.dice_original, at_stake),
        redirected=ratio(moved, _redirected, with_correct),
        follow_rate=mean(lambda r: None if r.followed is None else float(r.followed)),
        chance=sum(chances) / len(chances) if chances else None,
        presence_accuracy=mean(lambda r: None if r.own_empty is None else float(r.own_empty == r.predicted_empty)),
        false_positive_ml=mean(lambda r: r.false_positive_ml),
        false_positive_share=ratio(known, lambda r: r.false_positive_ml or 0.0, lambda r: r.original_ml),
        skipped=skipped,
    )


def _redirected(record: Record) -> float:
    if record.own_empty:
        return 1 - min(1.0, record.predicted_ml / record.original_ml)
    return record.dice_own or 0.0
