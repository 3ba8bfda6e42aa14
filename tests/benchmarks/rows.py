"""Handmade runs, as a process of a run leaves them."""

from __future__ import annotations

import json

from following.runs import RUNS
from following.settings import Settings, keep_settings

PERFECT = {"dice": 1.0, "follow_rate": 1.0}


def row(condition, dice, follow_rate=None, attributes=None, false_positive_part=None):
    return {
        "condition": condition,
        "dice": dice,
        "follow_rate": follow_rate,
        "follow_rate_per_attribute": attributes or {},
        "false_positive_part": false_positive_part,
        "cases": 4,
    }


def run(benchmark, variant, seed, *rows, ceiling=(0.4, 0.25), device="cpu", machine="Some CPU, 2 CPU cores"):
    return {
        "benchmark": benchmark,
        "variant": variant,
        "seed": seed,
        "iterations": 500,
        "training_seconds": 60.0,
        "prediction_seconds": 30.0,
        "device": device,
        "machine": machine,
        "versions": {"torch": "2.0"},
        "blind_ceiling": {"dice": ceiling[0], "follow_rate": ceiling[1]},
        "rows": list(rows),
    }


def write_runs(out, runs, failures=(), settings=None):
    """An output folder with these runs."""
    out.mkdir(parents=True, exist_ok=True)
    keep_settings(out, settings or Settings())
    for entry, ending in [*((r, ".json") for r in runs), *((f, ".failed.json") for f in failures)]:
        file = out / RUNS / entry["benchmark"] / f"{entry['variant']}_s{entry['seed']}{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(entry))
