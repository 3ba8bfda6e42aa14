"""What ``reportseg audit`` prints: the table of conditions, what did not apply, the checks and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from nnunet_reportseg.audit.run import Audit
    from nnunet_reportseg.bootstrap import Interval

_COLUMNS = ("cases", "Dice: case", "Dice: report", "lost", "follow rate", "presence", "false ml")
_WIDE = 120  # columns of a terminal that has room for the intervals; the files have them in any case


def show_audit(audit: Audit, files: Sequence[Path]) -> None:
    """Print a result."""
    console = Console()
    wide = console.width >= _WIDE
    title = f"{len(audit.cases)} cases, {len({r.image for r in audit.records})} images"
    # without lines between columns all of them fit into 80
    table = Table(title=title + ("; 95% intervals" if wide else ""), box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("condition", no_wrap=True)
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for name, summary in audit.summaries.items():
        table.add_row(
            name,
            str(0 if summary.dice_original is None else summary.dice_original.cases),
            _interval(summary.dice_original, wide),
            _interval(summary.dice_own, wide),
            "-" if name == "correct" else _interval(summary.lost, wide),
            _interval(summary.follow_rate, wide),
            _interval(summary.presence_accuracy),
            _interval(summary.false_positive_ml),
        )
    console.print(table)
    for name, summary in audit.summaries.items():
        for reason, count in summary.skipped.items():
            cases = "1 case" if count == 1 else f"{count} cases"
            console.print(Text(f"{name} does not apply to {cases}: {reason}"))
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


def _interval(interval: Interval | None, bounds: bool = False) -> str:
    if interval is None:
        return "-"
    return f"{interval.value:.2f}" + (f" [{interval.low:.2f}, {interval.high:.2f}]" if bounds else "")
