"""Two jobs at a time in processes of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import pytest

from nnunet_reportseg.demo.side_by_side import SideBySide, count_unit, side_by_side


@pytest.fixture(scope="module")
def pair() -> Iterator[SideBySide]:
    with side_by_side() as workers:
        yield workers


def _count_to(number: int) -> tuple[int, int, int]:
    import torch

    for _ in range(number):
        count_unit()
    return number, os.getpid(), torch.get_num_threads()


def _fail() -> None:
    raise RuntimeError("no luck")


def test_results_come_in_order_from_other_processes_that_share_the_cores(pair: SideBySide) -> None:
    results = pair.run([partial(_count_to, number) for number in (3, 1, 2)], lambda _: None)
    assert [number for number, _, _ in results] == [3, 1, 2]
    assert os.getpid() not in {process for _, process, _ in results}
    assert {threads for _, _, threads in results} == {max(1, (os.cpu_count() or 1) // 2)}


def test_units_are_counted_together_and_anew_in_each_run(pair: SideBySide) -> None:
    for _ in range(2):
        seen: list[int] = []
        pair.run([partial(_count_to, 40), partial(_count_to, 2)], seen.append)
        assert seen == sorted(seen)
        assert pair.counter.value == 42


def test_the_failure_of_a_job_is_raised(pair: SideBySide) -> None:
    with pytest.raises(RuntimeError, match="no luck"):
        pair.run([_fail, partial(_count_to, 1)], lambda _: None)
    assert pair.counter.value == 1
