"""The bars of the benchmark: what the default preset has to reach, and what a sound benchmark has to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from following.conditions import CORRECT, LONG_REPORT, NULL_ALL, SEEN, SWAPPED_ORIGINAL, SWAPPED_OWN
from following.results import Figures, Spread

DEFAULT, BLIND, NO_POSITION = "default", "blind", "no_position"
SEEDS_WANTED = 3
# Dice and follow rate under the case's own report, in held-out wording.
READING: Mapping[str, tuple[float, float | None]] = {
    "site": (0.95, 0.98),
    "laterality": (0.93, 0.97),
    "negation": (0.93, None),
    "implants": (0.70, 0.90),
}
FALSE_POSITIVES = 0.01
LONG_LOSS = 0.01
SWAPPED_TO_OWN, SWAPPED_TO_ORIGINAL = 0.93, 0.05
WORDING_LOSS = 0.03
NULL_LOSS = 0.01
# How far over the ceiling a network without position may come before the patches are said to show their place.
POSITION_PLAY = 0.03
PLACED = ("site", "laterality", "negation")


@dataclass(frozen=True)
class BarResult:
    """A bar and the figure beside it.

    Attributes:
        benchmark: name of the task.
        about: what is measured.
        limit: the bar.
        at_least: whether the figure must not be below; else it must not be above.
        found: the figure; None where the runs for it are not there.
    """

    benchmark: str
    about: str
    limit: float
    at_least: bool
    found: Spread | None

    @property
    def verdict(self) -> str:
        """``met``, ``missed`` or ``not run``; with the number of seeds where those are too few."""
        if self.found is None:
            return "not run"
        over = self.found.mean - self.limit
        word = "met" if (over >= -1e-9 if self.at_least else over <= 1e-9) else "missed"
        return word if self.found.seeds >= SEEDS_WANTED else f"{word} ({self.found.seeds} of {SEEDS_WANTED} seeds)"


def bar_results(figures: Figures) -> list[BarResult]:
    """All bars of the benchmarks that were run."""
    return [result for benchmark in figures.benchmarks() for result in _of(figures, benchmark)]


def _of(figures: Figures, benchmark: str) -> list[BarResult]:
    def figure(condition: str, metric: str = "dice") -> Spread | None:
        return figures.spread(benchmark, DEFAULT, condition, metric)

    def loss(less: str, more: str) -> Spread | None:
        return figures.difference((benchmark, DEFAULT, more, "dice"), (benchmark, DEFAULT, less, "dice"))

    found = []
    if benchmark in READING:
        dice, follow = READING[benchmark]
        found.append(BarResult(benchmark, "Dice", dice, True, figure(CORRECT)))
        if follow is not None:
            found.append(BarResult(benchmark, "follow rate", follow, True, figure(CORRECT, "follow_rate")))
    if benchmark == "negation":
        wrong = figure(CORRECT, "false_positive_part")
        found.append(BarResult(benchmark, "volume on denied lesions / lesion", FALSE_POSITIVES, False, wrong))
    if benchmark != "implants":
        found += [
            BarResult(benchmark, "Dice lost behind 600 tokens", LONG_LOSS, False, loss(LONG_REPORT, CORRECT)),
            BarResult(benchmark, "Dice, swapped report, its own target", SWAPPED_TO_OWN, True, figure(SWAPPED_OWN)),
            BarResult(
                benchmark, "Dice, swapped report, original", SWAPPED_TO_ORIGINAL, False, figure(SWAPPED_ORIGINAL)
            ),
            BarResult(benchmark, "Dice lost by held-out wording", WORDING_LOSS, False, loss(CORRECT, SEEN)),
        ]
    if benchmark != "negation":  # where half of the lesions are background, plain nnU-Net does not learn all of them
        plain = figures.spread(benchmark, BLIND, NULL_ALL, "dice")
        null = figures.difference((benchmark, BLIND, NULL_ALL, "dice"), (benchmark, DEFAULT, NULL_ALL, "dice"))
        about = f"no report, all lesions: Dice below plain nnU-Net's {'' if plain is None else f'{plain.mean:.3f}'}"
        found.append(BarResult(benchmark, about.rstrip(), NULL_LOSS, False, null))
    if benchmark in PLACED and benchmark in figures.ceilings:
        blind = figures.ceilings[benchmark]["dice"]
        placed = figures.spread(benchmark, NO_POSITION, CORRECT, "dice")
        about = f"without position: Dice, ceiling {blind:.3f} and {POSITION_PLAY}"
        found.append(BarResult(benchmark, about, blind + POSITION_PLAY, False, placed))
    return found
