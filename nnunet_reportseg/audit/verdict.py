"""A plain verdict from the summaries, with every check that led to it.

What would fool a single figure, and which check stops it:

- a network that always finds all lesions, or nothing: no wrong text changes its mask, so nothing is lost
  (``ignores the report``), although presence accuracy and Dice under denial may look right;
- one that reads whether something is there, but not where: denial costs it everything, an exchanged side nothing;
- one that breaks down under any text that does not fit the image: it loses as much as one that follows, but does not
  find what the other report asks for (redirected, follow rate);
- one that hangs on single templates: it loses under text that means the same;
- a dataset in which text cannot matter, because no image has a second finding: that nothing is lost says nothing then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnunet_reportseg.audit.bootstrap import Interval
from nnunet_reportseg.audit.conditions.registry import CORRECT, Kind, kind_of
from nnunet_reportseg.audit.summary import ConditionSummary

FOLLOWS, WEAKLY, IGNORES, UNKNOWN = "follows", "weakly follows", "ignores the report", "cannot be judged"

THRESHOLDS: Mapping[str, float] = {
    "fewest_images": 4,  # a condition with fewer does not count
    "lost_known_target": 0.5,  # wrong text with a known other target must cost at least this part of the Dice
    "lost_unknown_target": 0.25,  # the same where the wrong text may be right by chance
    "redirected": 0.8,  # and its own target must be found this well, as part of the correct report's Dice
    "follow_rate": 0.8,
    "lost_same_meaning": 0.2,  # text that means the same may cost at most this part
    "any_loss": 0.05,  # less than this under all wrong texts is no reading at all
    "lowest_dice": 0.05,  # under the correct report
}
_PLACES = ("site_changed", "laterality_swapped")


@dataclass(frozen=True)
class Check:
    """One comparison with a threshold.

    Attributes:
        what: in words.
        value: the estimate.
        low: lower bound of its 95% interval.
        high: upper bound.
        demand: in words.
        passed: whether it holds.
    """

    what: str
    value: float
    low: float
    high: float
    demand: str
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """The verdict.

    Attributes:
        verdict: ``follows``, ``weakly follows``, ``ignores the report`` or ``cannot be judged``.
        checks: what had to hold for ``follows``.
        notes: why the verdict is not better, and what to keep in mind.
        thresholds: that were applied.
    """

    verdict: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    thresholds: Mapping[str, float]


def judge(summaries: Mapping[str, ConditionSummary], alternatives: Sequence[int | None]) -> Verdict:
    """Judge a network.

    Args:
        summaries: by condition.
        alternatives: for each case how many findings its image is known to have; None where nothing is known.
    """
    checks = [check for summary in summaries.values() for check in _checks(summary)]
    notes = _notes(summaries, alternatives)
    base = summaries[CORRECT].lost  # over the cases with a target
    wrong = [s for s in summaries.values() if kind_of(s.condition) is Kind.WRONG and _enough(s.lost)]
    if base is None and summaries[CORRECT].targets >= THRESHOLDS["fewest_images"]:
        return _verdict(IGNORES, checks, ["finds nothing even with the correct report", *notes])
    if not _enough(base) or not wrong:
        few = f"fewer than {THRESHOLDS['fewest_images']:g} images on which wrong text can be told from correct text"
        return _verdict(UNKNOWN, checks, [few, *notes])
    dice = summaries[CORRECT].dice_original
    if dice is not None and dice.value < THRESHOLDS["lowest_dice"]:
        return _verdict(IGNORES, checks, ["finds next to nothing even with the correct report", *notes])
    if not _reads(wrong):
        if alternatives and all(count is not None and count < 2 for count in alternatives):
            return _verdict(UNKNOWN, checks, ["no image has a second finding, so the text cannot matter", *notes])
        return _verdict(IGNORES, checks, ["no wrong text changes the mask for certain", *notes])
    missing = [] if any(s.condition in _PLACES for s in wrong) else ["whether it reads the place could not be tested"]
    if missing or not all(check.passed for check in checks):
        failed = [f"{check.what}: {check.value:.2f}, needed {check.demand}" for check in checks if not check.passed]
        return _verdict(WEAKLY, checks, [*failed, *missing, *notes])
    return _verdict(FOLLOWS, checks, notes)


def _verdict(verdict: str, checks: Sequence[Check], notes: Sequence[str]) -> Verdict:
    return Verdict(verdict, tuple(checks), tuple(notes), THRESHOLDS)


def _enough(interval: Interval | None) -> bool:
    return interval is not None and interval.images >= THRESHOLDS["fewest_images"]


def _above(interval: Interval, bound: float) -> bool:
    """Whether the whole interval is above; a fixed mask's follow rate is chance up to rounding, with no width."""
    return interval.low > bound + 1e-6


def _reads(wrong: Sequence[ConditionSummary]) -> bool:
    """Whether any wrong text costs anything.

    The follow rate cannot tell: on selected cases a fixed mask may lie on the described finding more often than chance.
    """
    losses = [summary.lost for summary in wrong if summary.lost is not None]
    return any(_above(loss, 0) and loss.value >= THRESHOLDS["any_loss"] for loss in losses)


def _checks(summary: ConditionSummary) -> list[Check]:
    name, kind = summary.condition, kind_of(summary.condition)
    checks = []

    def add(what: str, interval: Interval | None, demand: str, passed: bool) -> None:
        if interval is not None and _enough(interval):
            checks.append(Check(f"{name}: {what}", interval.value, interval.low, interval.high, demand, passed))

    if kind is Kind.WRONG and summary.lost is not None:
        known = summary.redirected is not None
        least = THRESHOLDS["lost_known_target" if known else "lost_unknown_target"]
        passed = summary.lost.value >= least and _above(summary.lost, 0)
        add("part of the Dice lost", summary.lost, f"at least {least:g}, interval above 0", passed)
    if kind is Kind.WRONG and summary.redirected is not None:
        least = THRESHOLDS["redirected"]
        add("own target found", summary.redirected, f"at least {least:g}", summary.redirected.value >= least)
    if name in (CORRECT, "site_changed") and summary.follow_rate is not None and summary.chance is not None:
        least = THRESHOLDS["follow_rate"]
        passed = summary.follow_rate.value >= least and _above(summary.follow_rate, summary.chance)
        demand = f"at least {least:g}, interval above chance ({summary.chance:.2f})"
        add("follow rate", summary.follow_rate, demand, passed)
    if kind is Kind.SAME and summary.lost is not None:
        most = THRESHOLDS["lost_same_meaning"]
        add("part of the Dice lost", summary.lost, f"at most {most:g}", summary.lost.value <= most)
    return checks


def _notes(summaries: Mapping[str, ConditionSummary], alternatives: Sequence[int | None]) -> list[str]:
    notes = []
    if all(count is None for count in alternatives):
        notes.append("no finding has label values: only what wrong text costs can be judged, not what it gives instead")
    correct, blind = summaries[CORRECT].dice_original, summaries.get("text_only")
    if blind is not None and blind.dice_original is not None and correct is not None:
        if blind.dice_original.value > 0.5 * correct.value:
            notes.append("the text alone, without the image, gives more than half of the Dice")
    for summary in summaries.values():
        if kind_of(summary.condition) is Kind.WRONG and not _enough(summary.lost):
            notes.append(f"{summary.condition} applies to too few images to count")
    return notes
