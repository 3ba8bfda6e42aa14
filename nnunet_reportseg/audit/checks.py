"""The checks behind a verdict, one comparison with a threshold each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnunet_reportseg.audit.conditions.registry import CORRECT, Kind, kind_of
from nnunet_reportseg.audit.summary import ConditionSummary
from nnunet_reportseg.bootstrap import Interval

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
PLACES = ("site_changed", "laterality_swapped")


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


def enough(interval: Interval | None) -> bool:
    """Whether an estimate rests on enough images to count."""
    return interval is not None and interval.images >= THRESHOLDS["fewest_images"]


def above(interval: Interval, bound: float) -> bool:
    """Whether the whole interval is above; a fixed mask's follow rate is chance up to rounding, with no width."""
    return interval.low > bound + 1e-6


def checks_of(summary: ConditionSummary) -> list[Check]:
    """What a condition has to show for ``follows``; nothing where it has too few images."""
    name, kind = summary.condition, kind_of(summary.condition)
    checks = []

    def add(what: str, interval: Interval | None, demand: str, passed: bool) -> None:
        if interval is not None and enough(interval):
            checks.append(Check(f"{name}: {what}", interval.value, interval.low, interval.high, demand, passed))

    if kind is Kind.WRONG and summary.lost is not None:
        known = summary.redirected is not None
        least = THRESHOLDS["lost_known_target" if known else "lost_unknown_target"]
        passed = summary.lost.value >= least and above(summary.lost, 0)
        add("part of the Dice lost", summary.lost, f"at least {least:g}, interval above 0", passed)
    if kind is Kind.WRONG and summary.redirected is not None:
        least = THRESHOLDS["redirected"]
        add("own target found", summary.redirected, f"at least {least:g}", summary.redirected.value >= least)
    if name in (CORRECT, "site_changed") and summary.follow_rate is not None and summary.chance is not None:
        least = THRESHOLDS["follow_rate"]
        passed = summary.follow_rate.value >= least and above(summary.follow_rate, summary.chance)
        demand = f"at least {least:g}, interval above chance ({summary.chance:.2f})"
        add("follow rate", summary.follow_rate, demand, passed)
    if kind is Kind.SAME and summary.lost is not None:
        most = THRESHOLDS["lost_same_meaning"]
        add("part of the Dice lost", summary.lost, f"at most {most:g}", summary.lost.value <= most)
    return checks
