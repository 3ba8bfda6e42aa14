"""The runs of an output folder as rows, and means over seeds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from following.runs import RUNS

Row = Mapping[str, Any]
METRICS = ("dice", "follow_rate", "false_positive_part")


@dataclass(frozen=True)
class Spread:
    """A figure over seeds."""

    mean: float
    low: float
    high: float
    seeds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """Mean and extremes; None without values."""
        if not values:
            return None
        return cls(float(np.mean(values)), float(min(values)), float(max(values)), len(values))


def load_runs(out: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The finished runs of an output folder, and the failures."""
    files = sorted((out / RUNS).glob("*/*.json"))
    loaded = [(file.name.endswith(".failed.json"), json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return [run for failed, run in loaded if not failed], [run for failed, run in loaded if failed]


def result_rows(runs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row per benchmark, variant, seed and condition."""
    return [
        {
            "benchmark": run["benchmark"],
            "variant": run["variant"],
            "seed": run["seed"],
            **row,
            "training_seconds": run["training_seconds"],
            "iterations": run["iterations"],
        }
        for run in runs
        for row in run["rows"]
    ]


class Figures:
    """Rows, asked for a figure over seeds.

    Attributes:
        rows: of the results.
        ceilings: for each benchmark the best ``dice`` and ``follow_rate`` without reading, by formula.
    """

    def __init__(self, rows: Sequence[Row], ceilings: Mapping[str, Mapping[str, float]]) -> None:
        self.rows = rows
        self.ceilings = ceilings

    def by_seed(self, benchmark: str, variant: str, condition: str, metric: str) -> dict[int, float]:
        """The metric of each seed that has it; the follow rate of an attribute is ``follow_rate:side``."""
        wanted = (benchmark, variant, condition)
        found = {r["seed"]: _value(r, metric) for r in self.rows if _key(r) == wanted}
        return {seed: value for seed, value in found.items() if value is not None}

    def spread(self, benchmark: str, variant: str, condition: str, metric: str) -> Spread | None:
        """Mean, least and greatest over seeds."""
        return Spread.of(list(self.by_seed(benchmark, variant, condition, metric).values()))

    def difference(self, first: tuple[str, str, str, str], second: tuple[str, str, str, str]) -> Spread | None:
        """The first figure less the second, seed by seed, over the seeds that have both."""
        ours, theirs = self.by_seed(*first), self.by_seed(*second)
        return Spread.of([ours[seed] - theirs[seed] for seed in ours if seed in theirs])

    def benchmarks(self) -> list[str]:
        """In the order of the rows."""
        return list(dict.fromkeys(row["benchmark"] for row in self.rows))

    def variants(self, benchmark: str) -> set[str]:
        """Those that were run."""
        return {row["variant"] for row in self.rows if row["benchmark"] == benchmark}

    def attributes(self, benchmark: str) -> list[str]:
        """Attributes for which there are pairs of lesions."""
        rows = [row for row in self.rows if row["benchmark"] == benchmark]
        return list(dict.fromkeys(name for row in rows for name in row["follow_rate_per_attribute"]))


def _key(row: Row) -> tuple[str, str, str]:
    return row["benchmark"], row["variant"], row["condition"]


def _value(row: Row, metric: str) -> float | None:
    name, _, attribute = metric.partition(":")
    found: float | None = row["follow_rate_per_attribute"].get(attribute) if attribute else row[name]
    return found
