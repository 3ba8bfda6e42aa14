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
# A network that finds nothing loses nothing: below these figures a bar that must not be passed proves nothing.
LEARNED, LEARNED_PART_OF_CEILING = 0.5, 0.6


@dataclass(frozen=True)
class BarResult:
    """A bar and the figure beside it.

    Attributes:
        benchmark: name of the task.
        about: what is measured.
        limit: the bar.
        at_least: whether the figure must not be below; else it must not be above.
        found: the figure; None where the runs for it are not there.
        learned: whether the network in question has learned enough for the figure to say anything.
    """

    benchmark: str
    about: str
    limit: float
    at_least: bool
    found: Spread | None
    learned: bool = True

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, ``not run`` or that too little was learned; with the seeds where those are too few."""
        if self.found is None:
            return "not run"
        if not self.learned:
            return "says nothing, too little learned"
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

    own = figure(CORRECT)
    reads = own is not None and own.mean >= LEARNED
    found = []
    if benchmark in READING:
        dice, follow = READING[benchmark]
        found.append(BarResult(benchmark, "Dice", dice, True, own))
        if follow is not None:
            found.append(BarResult(benchmark, "follow rate", follow, True, figure(CORRECT, "follow_rate")))
    if benchmark == "negation":
        wrong = figure(CORRECT, "false_positive_part")
        found.append(BarResult(benchmark, "volume on denied lesions / lesion", FALSE_POSITIVES, False, wrong, reads))
    if benchmark != "implants":
        swapped, original = figure(SWAPPED_OWN), figure(SWAPPED_ORIGINAL)
        long, wording = loss(LONG_REPORT, CORRECT), loss(CORRECT, SEEN)
        found += [
            BarResult(benchmark, "Dice lost behind 600 tokens", LONG_LOSS, False, long, reads),
            BarResult(benchmark, "Dice, swapped report, its own target", SWAPPED_TO_OWN, True, swapped),
            BarResult(benchmark, "Dice, swapped report, original", SWAPPED_TO_ORIGINAL, False, original, reads),
            BarResult(benchmark, "Dice lost by held-out wording", WORDING_LOSS, False, wording, reads),
        ]
    if benchmark != "negation":  # where half of the lesions are background, plain nnU-Net does not learn all of them
        found.append(_without_report(figures, benchmark))
    if benchmark in PLACED and benchmark in figures.ceilings:
        found.append(_without_position(figures, benchmark))
    return found


def _without_report(figures: Figures, benchmark: str) -> BarResult:
    plain = figures.spread(benchmark, BLIND, NULL_ALL, "dice")
    lost = figures.difference((benchmark, BLIND, NULL_ALL, "dice"), (benchmark, DEFAULT, NULL_ALL, "dice"))
    about = "no report, all lesions: Dice below plain nnU-Net"
    if plain is None:
        return BarResult(benchmark, about, NULL_LOSS, False, None)
    return BarResult(benchmark, f"{about}'s {plain.mean:.3f}", NULL_LOSS, False, lost, plain.mean >= LEARNED)


def _without_position(figures: Figures, benchmark: str) -> BarResult:
    ceiling = figures.ceilings[benchmark]["dice"]
    found = figures.spread(benchmark, NO_POSITION, CORRECT, "dice")
    learned = found is not None and found.mean >= LEARNED_PART_OF_CEILING * ceiling
    about = f"without position: Dice, at most {POSITION_PLAY} over the ceiling"
    return BarResult(benchmark, about, ceiling + POSITION_PLAY, False, found, learned)
