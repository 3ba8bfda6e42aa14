"""Median times on the CPU and on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import torch


def seconds(jobs: Mapping[str, Callable[[], Any]], device: torch.device, *, repeats: int) -> dict[str, float]:
    """Median seconds of some jobs; arguments as for :func:`turns`."""
    return {name: median(values) for name, values in turns(jobs, device, repeats=repeats).items()}


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """Median of the ratios of two jobs in each turn, for a machine that is faster in some turns than in others."""
    return round(median(a / b for a, b in zip(one, other, strict=True)), 3)


def turns(jobs: Mapping[str, Callable[[], Any]], device: torch.device, *, repeats: int) -> dict[str, list[float]]:
    """Seconds of some jobs that take turns, so that a machine's bad moment hits all of them.

    Args:
        jobs: by name; each runs once before the clock starts.
        device: is waited for.
        repeats: rounds.
    """
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(repeats + 1):
        for name, job in jobs.items():
            _wait(device)
            start = time.perf_counter()
            job()
            _wait(device)
            if turn:
                found[name].append(time.perf_counter() - start)
    return found


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
