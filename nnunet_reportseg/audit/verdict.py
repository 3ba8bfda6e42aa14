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

from nnunet_reportseg.audit.checks import PLACES, THRESHOLDS, Check, above, checks_of, enough
from nnunet_reportseg.audit.conditions.registry import CORRECT, Kind, kind_of
from nnunet_reportseg.audit.summary import ConditionSummary

FOLLOWS, WEAKLY, IGNORES, UNKNOWN = "follows", "weakly follows", "ignores the report", "cannot be judged"


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
    checks = [check for summary in summaries.values() for check in checks_of(summary)]
    notes = _notes(summaries, alternatives)
    base = summaries[CORRECT].lost  # over the cases with a target
    wrong = [s for s in summaries.values() if kind_of(s.condition) is Kind.WRONG and enough(s.lost)]
    if base is None and summaries[CORRECT].targets >= THRESHOLDS["fewest_images"]:
        return _verdict(IGNORES, checks, ["finds nothing even with the correct report", *notes])
    if not enough(base) or not wrong:
        few = f"fewer than {THRESHOLDS['fewest_images']:g} images on which wrong text can be told from correct text"
        return _verdict(UNKNOWN, checks, [few, *notes])
    dice = summaries[CORRECT].dice_original
    if dice is not None and dice.value < THRESHOLDS["lowest_dice"]:
        return _verdict(IGNORES, checks, ["finds next to nothing even with the correct report", *notes])
    if not _reads(wrong):
        if alternatives and all(count is not None and count < 2 for count in alternatives):
            return _verdict(UNKNOWN, checks, ["no image has a second finding, so the text cannot matter", *notes])
        return _verdict(IGNORES, checks, ["no wrong text changes the mask for certain", *notes])
    missing = [] if any(s.condition in PLACES for s in wrong) else ["whether it reads the place could not be tested"]
    if missing or not all(check.passed for check in checks):
        failed = [f"{check.what}: {check.value:.2f}, needed {check.demand}" for check in checks if not check.passed]
        return _verdict(WEAKLY, checks, [*failed, *missing, *notes])
    return _verdict(FOLLOWS, checks, notes)


def _verdict(verdict: str, checks: Sequence[Check], notes: Sequence[str]) -> Verdict:
    return Verdict(verdict, tuple(checks), tuple(notes), THRESHOLDS)


def _reads(wrong: Sequence[ConditionSummary]) -> bool:
    """Whether any wrong text costs anything.

    The follow rate cannot tell: on selected cases a fixed mask may lie on the described finding more often than chance.
    """
    losses = [summary.lost for summary in wrong if summary.lost is not None]
    return any(above(loss, 0) and loss.value >= THRESHOLDS["any_loss"] for loss in losses)


def _notes(summaries: Mapping[str, ConditionSummary], alternatives: Sequence[int | None]) -> list[str]:
    notes = []
    if all(count is None for count in alternatives):
        notes.append("no finding has label values: only what wrong text costs can be judged, not what it gives instead")
    correct, blind = summaries[CORRECT].dice_original, summaries.get("text_only")
    if blind is not None and blind.dice_original is not None and correct is not None:
        if blind.dice_original.value > 0.5 * correct.value:
            notes.append("the text alone, without the image, gives more than half of the Dice")
    for summary in summaries.values():
        if kind_of(summary.condition) is Kind.WRONG and not enough(summary.lost):
            notes.append(f"{summary.condition} applies to too few images to count")
    return notes
