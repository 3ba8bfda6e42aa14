"""Writes the rows, the figure and the page from the runs of an output folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from following.bars import bar_results
from following.errors import BenchmarkError
from following.figure import draw
from following.page import FIGURE, page
from following.results import Figures, load_runs, result_rows
from following.settings import Settings, read_settings
from following.tasks import IMPLANTS
from following.variants import VARIANTS
from nnunet_reportseg.atomic_write import write_text

RESULTS_VERSION = 1
NAME = "text_following"


def publish(out: Path, docs: Path) -> list[Path]:
    """Write ``text_following.json``, ``.md`` and ``.png``.

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
    figures = Figures(result_rows(runs), {run["benchmark"]: run["blind_ceiling"] for run in runs})
    bars = bar_results(figures)
    content = {
        "version": RESULTS_VERSION,
        "settings": asdict(settings),
        "blind_ceilings": figures.ceilings,
        "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in bars],
        "runs": [{name: value for name, value in run.items() if name not in ("rows", "line")} for run in runs],
        "failures": failures,
        "rows": figures.rows,
    }
    files = [docs / f"{NAME}.json", docs / f"{NAME}.md", docs / FIGURE]
    docs.mkdir(parents=True, exist_ok=True)
    write_text(files[0], json.dumps(content, indent=1) + "\n")
    write_text(files[1], page(figures, bars, runs, failures, settings, command_lines(settings, runs)))
    draw(figures, files[2])
    return files


def command_lines(settings: Settings, runs: Sequence[Mapping[str, Any]]) -> str:
    """The commands that give these runs and no others, whatever the presets of the script become."""
    options = {
        "iterations": settings.iterations,
        "patch": " ".join(map(str, settings.patch)),
        "batch-size": settings.batch_size,
        "features": settings.features,
        "cases": settings.cases,
        "test-volumes": settings.test_volumes,
        "step-size": settings.step_size,
        "data-seed": settings.data_seed,
    }
    scale = " ".join(f"--{name} {value}" for name, value in options.items())
    scale += " --mirroring" if settings.mirroring else " --no-mirroring"
    scale += " --short-recipe" if settings.short_recipe else " --no-short-recipe"
    if any(run["benchmark"] == IMPLANTS for run in runs):
        scale += " \\\n    --volumes VOLUMES --nodules NODULES"
    lines = [f"SCALE=({scale})"]
    lines += [
        'python benchmarks/text_following.py --out text_following_out "${SCALE[@]}" \\\n'
        f"    --tasks {' '.join(tasks)} --seeds {' '.join(map(str, seeds))} \\\n    --variants {' '.join(variants)}"
        for (variants, seeds), tasks in _calls(runs).items()
    ]
    return "\n".join(lines)


def _calls(runs: Sequence[Mapping[str, Any]]) -> dict[tuple[tuple[str, ...], tuple[int, ...]], list[str]]:
    """Variants and seeds that were run together, and the tasks of which they were."""
    calls: dict[tuple[tuple[str, ...], tuple[int, ...]], list[str]] = {}
    for task in dict.fromkeys(run["benchmark"] for run in runs):
        together: dict[tuple[int, ...], list[str]] = {}
        for variant in VARIANTS:
            found = sorted(run["seed"] for run in runs if (run["benchmark"], run["variant"]) == (task, variant))
            if found:
                together.setdefault(tuple(found), []).append(variant)
        for seeds, variants in together.items():
            calls.setdefault((tuple(variants), seeds), []).append(task)
    return calls
