"""The page and the JSON file with the results, from the runs of an output folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from following.errors import BenchmarkError
from following.results import load_runs
from following.settings import Settings, read_settings
from following.tasks import IMPLANTS
from nnunet_reportseg.atomic_write import write_text
from per_finding.one_run import BLIND, GROUNDING, TRAINERS
from per_finding.tasks import FINDINGS

NAME = "grounding"
RESULTS_VERSION = 1
SEEDS_WANTED = 3
# Mean Dice per finding, hit rate and the part of absent findings whose mask is empty.
BARS: Mapping[str, Mapping[str, float]] = {
    FINDINGS: {"dice": 0.90, "hit_rate": 0.97, "absent_empty": 0.97},
    IMPLANTS: {"dice": 0.65, "hit_rate": 0.90},
}
COLUMNS = {
    "dice": "Dice",
    "hit_rate": "hit rate",
    "dice_present": "Dice, present",
    "absent_empty": "absent and empty",
    "instance_precision": "instance precision",
    "instance_recall": "instance recall",
    "instance_f1": "instance F1",
}


def publish(out: Path, docs: Path) -> list[Path]:
    """Write ``grounding.json`` and ``grounding.md``.

    Args:
        out: output folder of the benchmark.
        docs: where they go.

    Returns:
        The files.

    Raises:
        BenchmarkError: no run is finished.
    """
    settings = read_settings(out)
    runs, failures = load_runs(out)
    if not runs:
        raise BenchmarkError(f"{out} holds no finished run yet, so there is nothing to report.")
    bars = [bar for task in dict.fromkeys(run["benchmark"] for run in runs) for bar in _bars(runs, task)]
    content = {
        "version": RESULTS_VERSION,
        "settings": asdict(settings),
        "bars": bars,
        "runs": [{name: value for name, value in run.items() if name != "line"} for run in runs],
        "failures": failures,
    }
    files = [docs / f"{NAME}.json", docs / f"{NAME}.md"]
    docs.mkdir(parents=True, exist_ok=True)
    write_text(files[0], json.dumps(content, indent=1) + "\n")
    write_text(files[1], _page(runs, bars, settings))
    return files


def _values(runs: Sequence[Mapping[str, Any]], task: str, variant: str, metric: str) -> list[float]:
    rows = [run["row"] for run in runs if (run["benchmark"], run["variant"]) == (task, variant)]
    return [row[metric] for row in rows if row[metric] is not None]


def _text(values: Sequence[float]) -> str:
    if not values:
        return "-"
    mean = f"{fmean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.2f} to {max(values):.2f})"


def _bars(runs: Sequence[Mapping[str, Any]], task: str) -> list[dict[str, Any]]:
    found = []
    for metric, limit in BARS[task].items():
        values = _values(runs, task, GROUNDING, metric)
        verdict = "not run" if not values else "met" if fmean(values) >= limit else "missed"
        if 0 < len(values) < SEEDS_WANTED:
            verdict += f" ({len(values)} of {SEEDS_WANTED} seeds)"
        entry = {"task": task, "metric": metric, "limit": limit, "found": _text(values), "verdict": verdict}
        found.append(entry)
    return found


def _page(runs: Sequence[Mapping[str, Any]], bars: Sequence[Mapping[str, Any]], settings: Settings) -> str:
    parts = [
        "# One mask for each finding",
        f"*Written by `benchmarks/grounding.py` from its runs, which are in `{NAME}.json`.*",
        _where(runs, settings),
        "## Bars",
        "Means over seeds, on the test split.",
        _table(
            ("task", "", "bar", "found", ""),
            [(b["task"], COLUMNS[b["metric"]], f">= {b['limit']:.2f}", b["found"], b["verdict"]) for b in bars],
        ),
        "## Figures",
        "The protocol of `reportseg evaluate --protocol rexgroundingct` (docs/evaluation.md): two empty "
        "masks score a Dice of 1. *Absent and empty*: findings that are not there and have an empty mask, as a part of "
        "those that are not there. Plain nnU-Net gives one mask for an image, which stands for every finding.",
    ]
    for task in dict.fromkeys(run["benchmark"] for run in runs):
        own = [run for run in runs if run["benchmark"] == task]
        rows = [
            (f"`{variant}`", *(_text(_values(runs, task, variant, metric)) for metric in COLUMNS))
            for variant in TRAINERS
            if any(run["variant"] == variant for run in own)
        ]
        size = f"{own[0]['findings']} findings in {own[0]['cases']} test cases, {own[0]['iterations']} iterations."
        parts += [f"### {task}", size, _table(("variant", *COLUMNS.values()), rows)]
    parts += [
        "Variants: " + "; ".join(f"`{name}`: {variant.about}" for name, variant in TRAINERS.items()) + ".",
        "## Commands",
        f"```bash\n{_commands(runs, settings)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _where(runs: Sequence[Mapping[str, Any]], settings: Settings) -> str:
    machines = "; ".join(dict.fromkeys(f"{run['device']}, {run['machine']}" for run in runs))
    versions = "; ".join(dict.fromkeys(", ".join(f"{k} {v}" for k, v in run["versions"].items()) for run in runs))
    minutes = sum(run["training_seconds"] + run["prediction_seconds"] for run in runs) / 60
    patch = " x ".join(map(str, settings.patch))
    recipe = "AdamW at 2e-3 for all of the network" if settings.short_recipe else "the default recipe"
    flips = "predictions averaged over flips" if settings.mirroring else "no averaging over flips"
    return (
        f"{len(runs)} runs, {minutes:.0f} minutes, on {machines}; {versions}. {settings.batch_size} patches of {patch} "
        f"voxels, {settings.stages} stages from {settings.features} features, {recipe} ({BLIND}: nnU-Net's SGD), "
        f"{settings.cases} training cases, {settings.test_volumes} test volumes; final weights, {flips}."
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _commands(runs: Sequence[Mapping[str, Any]], settings: Settings) -> str:
    """A command for the variants of a task that have the same seeds."""
    seeds: dict[tuple[str, str], set[int]] = {}
    for run in runs:
        seeds.setdefault((run["benchmark"], run["variant"]), set()).add(run["seed"])
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for (task, variant), found in seeds.items():
        groups.setdefault((task, tuple(sorted(found))), []).append(variant)
    return "\n".join(_command(task, same, variants, settings) for (task, same), variants in groups.items())


def _command(task: str, seeds: Sequence[int], variants: Sequence[str], settings: Settings) -> str:
    files = " --volumes VOLUMES --nodules NODULES" if task == IMPLANTS else ""
    return (
        f"python benchmarks/grounding.py --out grounding_out --tasks {task}{files} \\\n"
        f"    --variants {' '.join(variants)} --seeds {' '.join(map(str, seeds))} \\\n"
        f"    --iterations {settings.iterations} --batch-size {settings.batch_size} --features {settings.features} "
        f"--stages {settings.stages} --patch {' '.join(map(str, settings.patch))} \\\n"
        f"    --cases {settings.cases} --test-volumes {settings.test_volumes} --step-size {settings.step_size}"
        + (" --mirroring" if settings.mirroring else "")
    )
