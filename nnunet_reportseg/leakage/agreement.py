"""How often the sizes of a report are those of the mask to the last stated digit, and how often by chance.

Somebody who measures by hand is off by a little. The best published hands differ with a standard deviation of 0.9 mm
(95% limits of 1.7 mm for one reader twice and for two readers, nodules of 3 to 18 mm: Revel et al. 2004, Radiology 231,
453); voxels and the border that a mask takes add to that, so 1 mm is assumed. Two segmentations of one scan differ by
about 5% in volume (95% limits of -9.7% and 8.3% between readers of 202 solid nodules in one scan: PMC3043750).
With a normal error, a number that is stated to the millimetre is then the mask's in 37% of the findings, one that is
stated to a tenth in 4%. Numbers that would agree in half of the findings or more tell nothing and are left out.

A measure is suspicious where at least half of at least five findings agree and fewer than one in a hundred sets of
hand-measured findings would agree as often.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.leakage.stated_sizes import Stated

FEWEST_FINDINGS = 5
SUSPICIOUS_PART = 0.5
SUSPICIOUS_CHANCE = 0.01
HAND_MM = 1.0
HAND_PART_OF_VOLUME = 0.05
_NO_USE = 0.5  # a number that agrees by chance this often
_SINGLE_PRECISION = 1e-5  # of a length: NIfTI keeps spacings in single precision


@dataclass(frozen=True)
class Comparison:
    """A stated number and the mask's.

    Attributes:
        case: Case identifier.
        finding: Id of the finding.
        measure: Name of what was measured on the mask.
        stated: In the text.
        measured: On the mask, in the same unit.
        error: Standard deviation of a measurement by hand, in the same unit.
    """

    case: str
    finding: str
    measure: str
    stated: Stated
    measured: float
    error: float

    @property
    def agrees(self) -> bool:
        """Whether the mask's number is the stated one when it is rounded."""
        return abs(self.stated.value - self.measured) <= self.stated.step / 2 + _SINGLE_PRECISION * self.measured

    @property
    def chance(self) -> float:
        """How likely that is by hand: the mask's number and the one by hand lie in the same step."""
        steps = self.stated.step / self.error
        near, mean = math.erf(steps / math.sqrt(2)), math.sqrt(2 / math.pi) * (1 - math.exp(-(steps**2) / 2))
        return near - mean / steps


@dataclass(frozen=True)
class Agreement:
    """How often the findings of a dataset agree with one measure of their masks.

    Attributes:
        measure: Its name.
        findings: Number of findings that were compared.
        agreeing: Case and id of those that agree.
        expected: The part that would agree if all were measured by hand.
        by_chance: How likely at least as many would.
    """

    measure: str
    findings: int
    agreeing: tuple[tuple[str, str], ...]
    expected: float
    by_chance: float

    @property
    def part(self) -> float:
        """The part that agrees."""
        return len(self.agreeing) / self.findings

    @property
    def suspicious(self) -> bool:
        """Whether these numbers are hardly measured by hand."""
        enough = self.findings >= FEWEST_FINDINGS and self.part >= SUSPICIOUS_PART
        return enough and self.by_chance < SUSPICIOUS_CHANCE


def summarise(comparisons: Iterable[Comparison]) -> tuple[Agreement, ...]:
    """Count agreement for each measure, the one with most agreement first."""
    by_measure: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        if comparison.chance < _NO_USE:
            by_measure.setdefault(comparison.measure, []).append(comparison)
    agreements = []
    for measure, compared in by_measure.items():
        chances = [comparison.chance for comparison in compared]
        agreeing = tuple((c.case, c.finding) for c in compared if c.agrees)
        likely = _at_least(len(agreeing), chances)
        agreements.append(Agreement(measure, len(compared), agreeing, float(np.mean(chances)), likely))
    return tuple(sorted(agreements, key=lambda agreement: -len(agreement.agreeing)))


def _at_least(number: int, chances: Sequence[float]) -> float:
    """How likely at least so many of some independent events are (Poisson binomial distribution)."""
    distribution = np.ones(1)
    for chance in chances:
        distribution = np.convolve(distribution, (1 - chance, chance))
    return float(min(1.0, distribution[number:].sum()))
