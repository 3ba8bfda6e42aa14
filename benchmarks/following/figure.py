"""The figure: follow rate and Dice of each variant, with the ceiling of a network that does not read."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from following.conditions import CORRECT
from following.results import Figures
from following.variants import VARIANTS

COLOURS = {"dice": "#1f6fb2", "follow_rate": "#d4711c"}
NAMES = {"dice": "Dice", "follow_rate": "follow rate"}


def draw(figures: Figures, file: Path) -> None:
    """Draw one panel per benchmark: dots are means over seeds, lines reach from the least to the greatest."""
    benchmarks = figures.benchmarks()
    shown = [name for name in VARIANTS if any(name in figures.variants(b) for b in benchmarks)]
    size = (3.2 + 2.6 * len(benchmarks), 1.6 + 0.3 * len(shown))
    canvas, grid = plt.subplots(1, len(benchmarks), sharey=True, squeeze=False, figsize=size, layout="constrained")
    for axis, benchmark in zip(grid[0], benchmarks, strict=True):
        _panel(axis, figures, benchmark, shown)
    grid[0][0].set_yticks(range(len(shown)), shown)
    grid[0][0].invert_yaxis()
    handles, labels = grid[0][0].get_legend_handles_labels()
    canvas.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    file.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(file, dpi=130)
    plt.close(canvas)


def _panel(axis: Axes, figures: Figures, benchmark: str, shown: list[str]) -> None:
    for shift, metric in ((-0.14, "dice"), (0.14, "follow_rate")):
        spreads = [figures.spread(benchmark, variant, CORRECT, metric) for variant in shown]
        points = [(row + shift, spread) for row, spread in enumerate(spreads) if spread is not None]
        axis.errorbar(
            [spread.mean for _, spread in points],
            [row for row, _ in points],
            xerr=[[max(0.0, s.mean - s.low) for _, s in points], [max(0.0, s.high - s.mean) for _, s in points]],
            fmt="o",
            markersize=5,
            color=COLOURS[metric],
            label=NAMES[metric],
        )
        if benchmark in figures.ceilings:
            ceiling = figures.ceilings[benchmark][metric]
            axis.axvline(ceiling, color=COLOURS[metric], linestyle=":", linewidth=1.3, label=f"{NAMES[metric]}, blind")
    axis.set_title(benchmark)
    axis.set_xlim(-0.03, 1.03)
    axis.grid(axis="x", alpha=0.25)
