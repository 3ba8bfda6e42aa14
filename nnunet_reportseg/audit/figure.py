"""The figure of an audit: Dice per condition with intervals, against the original and the own target."""

from __future__ import annotations

import io
from collections.abc import Mapping

from nnunet_reportseg.audit.run import Audit
from nnunet_reportseg.audit.summary import ConditionSummary
from nnunet_reportseg.bootstrap import Interval

_ORIGINAL, _OWN = "#2b6cb0", "#dd6b20"


def draw_audit(audit: Audit) -> bytes:
    """Draw the figure as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [summary for summary in audit.summaries.values() if summary.dice_original is not None]
    figure = Figure(figsize=(8.5, 1.6 + 0.45 * len(shown)), facecolor="white")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    series = (
        (-0.13, _ORIGINAL, "o", "target of the case", "dice_original"),
        (0.13, _OWN, "s", "target of the given report", "dice_own"),
    )
    for offset, colour, marker, name, attribute in series:
        for row, summary in enumerate(shown):
            interval: Interval | None = getattr(summary, attribute)
            if interval is None:
                continue
            axes.plot([interval.low, interval.high], [row + offset] * 2, color=colour, linewidth=2.2, alpha=0.6)
            axes.plot(interval.value, row + offset, marker, color=colour, markersize=6.5)
        axes.plot([], [], marker, color=colour, label=name)
    axes.set_yticks(range(len(shown)), [_name(summary) for summary in shown])
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("mean Dice, 95% interval")
    axes.grid(axis="x", color="#e2e8f0")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    figure.suptitle(f"{_title(audit.facts)}verdict: {audit.verdict.verdict}", fontsize=11)
    figure.tight_layout()
    buffer = io.BytesIO()
    canvas.print_png(buffer)
    return buffer.getvalue()


def _name(summary: ConditionSummary) -> str:
    count = summary.dice_original.cases if summary.dice_original is not None else 0
    return f"{summary.condition} ({count})"


def _title(facts: Mapping[str, object]) -> str:
    return f"{facts['dataset']}, {facts['split']}: " if "dataset" in facts and "split" in facts else ""
