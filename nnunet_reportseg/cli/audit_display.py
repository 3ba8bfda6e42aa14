"""What ``reportseg audit`` prints: the table of conditions, what did not apply, the checks and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from nnunet_reportseg.audit.bootstrap import Interval
    from nnunet_reportseg.audit.run import Audit

_COLUMNS = (
    ("condition", "left"),
    ("cases", "right"),
    ("Dice, case's target", "right"),
    ("Dice, report's target", "right"),
    ("lost", "right"),
    ("follow rate", "right"),
    ("presence", "right"),
    ("false pos. ml", "right"),
)


def show_audit(audit: Audit, files: Sequence[Path]) -> None:
    """Print a result."""
    console = Console()
    table = Table(title=f"{len(audit.cases)} cases, {len({r.image for r in audit.records})} images; 95% intervals")
    for title, justify in _COLUMNS:
        table.add_column(title, justify="right" if justify == "right" else "left")
    for name, summary in audit.summaries.items():
        count = 0 if summary.dice_original is None else summary.dice_original.cases
        table.add_row(
            name,
            str(count),
            _interval(summary.dice_original),
            _interval(summary.dice_own),
            "-" if name == "correct" else _interval(summary.lost),
            _interval(summary.follow_rate),
            _interval(summary.presence_accuracy, bounds=False),
            _interval(summary.false_positive_ml, bounds=False),
        )
    console.print(table)
    for name, summary in audit.summaries.items():
        for reason, count in summary.skipped.items():
            console.print(Text(f"{name} does not apply to {count} cases: {reason}"))
    if audit.without_report:
        console.print(Text(f"{len(audit.without_report)} cases have no report and were left out"))
    for check in audit.verdict.checks:
        mark = "yes" if check.passed else "NO "
        found = f"{check.value:.2f} [{check.low:.2f}, {check.high:.2f}]"
        console.print(Text(f"{mark}  {check.what} {found}; for 'follows': {check.demand}"))
    console.print(Text(f"Verdict: {audit.verdict.verdict}", style="bold"))
    for note in audit.verdict.notes:
        console.print(Text(f"  {note}"))
    console.print(f"Written: {', '.join(map(str, files))}", soft_wrap=True, markup=False)


def _interval(interval: Interval | None, *, bounds: bool = True) -> str:
    if interval is None:
        return "-"
    return f"{interval.value:.2f}" + (f" [{interval.low:.2f}, {interval.high:.2f}]" if bounds else "")
