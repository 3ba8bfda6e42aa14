"""Agreement to the last digit, and how likely it is by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from nnunet_reportseg.leakage.agreement import Comparison, summarise
from nnunet_reportseg.leakage.stated_sizes import Stated


def _comparison(stated: float, measured: float, *, step: float = 1.0, case: str = "a") -> Comparison:
    return Comparison(case, "1", "m", Stated(stated, step), measured, 1.0)


@pytest.mark.parametrize(
    ("stated", "step", "measured", "agrees"),
    [(8, 1, 8.49, True), (8, 1, 7.5, True), (8, 1, 8.51, False), (8.3, 0.1, 8.34, True), (8.3, 0.1, 8.4, False)],
)
def test_agrees_where_the_mask_rounds_to_what_is_stated(
    stated: float, step: float, measured: float, agrees: bool
) -> None:
    assert _comparison(stated, measured, step=step).agrees is agrees


@pytest.mark.parametrize("step", [0.1, 1.0, 2.0])
def test_chance_is_what_hands_with_that_error_reach(step: float) -> None:
    rng = np.random.default_rng(0)
    masks = rng.uniform(5, 50, 200_000)
    stated = np.round((masks + rng.normal(0, 1.0, masks.size)) / step) * step
    simulated = float(np.mean(np.abs(stated - masks) <= step / 2))
    assert _comparison(8, 8, step=step).chance == pytest.approx(simulated, abs=0.005)


def test_by_chance_is_the_tail_of_the_binomial_distribution() -> None:
    (agreement,) = summarise([_comparison(8, 8.2 if i < 6 else 11, case=f"c{i}") for i in range(10)])
    assert (agreement.findings, agreement.part) == (10, 0.6)
    assert agreement.agreeing == tuple((f"c{i}", "1") for i in range(6))
    assert agreement.by_chance == pytest.approx(binom.sf(5, 10, _comparison(8, 8).chance))
    assert agreement.expected == pytest.approx(0.369, abs=0.001)


@pytest.mark.parametrize(
    ("agree", "of", "suspicious"), [(5, 5, True), (4, 4, False), (4, 8, False), (16, 20, True), (10, 25, False)]
)
def test_suspicious_where_many_agree_and_hands_would_not(agree: int, of: int, suspicious: bool) -> None:
    (agreement,) = summarise([_comparison(8, 8 if i < agree else 20) for i in range(of)])
    assert agreement.suspicious is suspicious


def test_coarse_numbers_are_left_out() -> None:
    assert summarise([_comparison(20, 20, step=10)] * 9) == ()
