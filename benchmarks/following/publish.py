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
    write_text(files[1], page(figures, bars, runs, failures, settings, command_line(settings, runs)))
    draw(figures, files[2])
    return files


def command_line(settings: Settings, runs: Sequence[Mapping[str, Any]]) -> str:
    """The command that gives these runs, whatever the presets of the script become."""
    tasks = " ".join(dict.fromkeys(run["benchmark"] for run in runs))
    variants = " ".join(name for name in VARIANTS if any(run["variant"] == name for run in runs))
    seeds = " ".join(str(seed) for seed in sorted({run["seed"] for run in runs}))
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
    switches = "--mirroring " if settings.mirroring else "--no-mirroring "
    switches += "--short-recipe" if settings.short_recipe else "--no-short-recipe"
    if any(run["benchmark"] == IMPLANTS for run in runs):
        switches += " \\\n    --volumes VOLUMES --nodules NODULES"
    return (
        f"python benchmarks/text_following.py --out text_following_out \\\n    --tasks {tasks} --seeds {seeds} \\\n"
        f"    --variants {variants} \\\n    {scale} {switches}"
    )
