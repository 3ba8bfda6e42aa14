"""The display of a paired run: progress of its steps, and the table at the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from rich.progress import TaskID

    from nnunet_reportseg.demo.pipeline import PairedResults


class StepDisplay:
    """Progress of the demo's steps in a terminal, one line for each step elsewhere."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = console
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._current: TaskID | None = None
        self._plain: tuple[str, float] | None = None

    def __enter__(self) -> StepDisplay:
        """Start the bars."""
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Finish the last step."""
        self._finish()
        if self._console.is_terminal:
            self._bars.stop()

    def step(self, name: str, total: int | None = None) -> Callable[[int], None]:
        """Begin a step; finishes the one before."""
        self._finish()
        if not self._console.is_terminal:
            self._plain = (name, time.perf_counter())
            return lambda _: None
        task = self._current = self._bars.add_task(name, total=total, done="")
        return lambda done: self._bars.update(task, completed=done, done=f"{done}/{total}")

    def _finish(self) -> None:
        if self._plain is not None:
            name, begin = self._plain
            self._console.print(f"{name}: {time.perf_counter() - begin:.0f} s")
            self._plain = None
        if self._current is not None:
            self._bars.update(self._current, total=1, completed=1)
            self._bars.stop_task(self._current)
            self._current = None


def show_results(console: Console, results: PairedResults, out: Path, *, title: str) -> None:
    """Print the table of results and where the files are."""
    table = Table(title=f"{title}, {results.test_cases} test cases: each image once for every lesion")
    table.add_column("")
    table.add_column("Dice", justify="right")
    table.add_column("follow rate", justify="right")
    table.add_row("blind ceiling (best without reading, by formula)", f"{results.blind_ceiling:.3f}", "")
    table.add_row("nnUNetTrainer, same budget", f"{results.blind_dice:.3f}", f"{results.blind_follow_rate:.2f}")
    table.add_row("ReportGuidedTrainer", f"{results.guided_dice:.3f}", f"{results.follow_rate:.2f}", style="bold")
    table.add_row("  without a report", f"{results.null_dice:.3f}", "")
    table.add_row("  swapped report, against what it describes", f"{results.swapped_own_dice:.3f}", "")
    table.add_row("  swapped report, against the original target", f"{results.swapped_original_dice:.3f}", "")
    console.print(table)
    console.print(f"{results.seconds:.0f} s on {results.machine}")
    console.print(f"Results: {out / 'results.json'}\nPicture: {out / 'overview.png'}", soft_wrap=True)
