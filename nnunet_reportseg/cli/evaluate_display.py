"""What ``reportseg evaluate`` prints about findings: all measures of a protocol, and the first of them by category."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from nnunet_reportseg.bootstrap import Interval
    from nnunet_reportseg.evaluation.finding_evaluation import FindingEvaluation

_BY_CATEGORY = 5  # what fits into 80 columns; the files have all measures


def show_findings(evaluation: FindingEvaluation, console: Console) -> None:
    """Print a result: all findings with intervals and, where there are categories, a line for each."""
    overall = evaluation.overall
    table = Table(title=f"{evaluation.protocol}: {overall.findings} findings in {overall.cases} cases; 95% intervals")
    table.add_column("measure", no_wrap=True)
    table.add_column("all findings", justify="right", no_wrap=True)
    for name, interval in overall.estimates.items():
        bounds = "" if interval is None else f" [{interval.low:.3f}, {interval.high:.3f}]"
        table.add_row(name, Text(_value(interval) + bounds))
    console.print(table)
    counts = ", ".join(f"{number} {status.replace('_', ' ')}" for status, number in overall.counts.items())
    console.print(counts, highlight=False)
    if evaluation.categories:
        console.print(_categories(evaluation))


def _categories(evaluation: FindingEvaluation) -> Table:
    names = list(evaluation.overall.estimates)[:_BY_CATEGORY]
    table = Table()
    table.add_column("category")
    for title in ("findings", *(name.replace("_", " ") for name in names)):
        table.add_column(title, justify="right")
    for category, summary in evaluation.categories.items():
        values = (_value(summary.estimates[name]) for name in names)
        table.add_row(Text(category), str(summary.findings), *values)
    return table


def _value(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.value:.3f}"
