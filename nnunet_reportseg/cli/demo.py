"""``reportseg demo``: the whole job on a synthetic dataset, in minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from nnunet_reportseg.demo.pipeline import DemoResults


def command(
    out: Annotated[
        Path, typer.Option(help="Folder for results.json, overview.png and the demo's nnU-Net folders.")
    ] = Path("demo_out"),
    seed: Annotated[int, typer.Option(help="Seed of the phantom and of the trainings.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Start again where an earlier demo ran.")] = False,
) -> None:
    """Run the main job end to end on a phantom: plan, preprocess, embed, train, predict, evaluate."""
    from rich.console import Console

    from nnunet_reportseg.compatibility import require_supported_nnunet
    from nnunet_reportseg.demo.pipeline import run_demo
    from nnunet_reportseg.demo.workspace import output_to, prepare_workspace

    require_supported_nnunet()
    out = out.resolve()
    work = prepare_workspace(out, overwrite=overwrite)
    log = out / "demo.log"
    try:
        with output_to(log) as terminal:
            console = Console(file=terminal)
            display = _Display(console)
            with display:
                results = run_demo(out, work, display, seed=seed)
            _show(console, results, out)
    except Exception:
        print(f"The demo failed; what nnU-Net printed is in {log}")
        raise


class _Display:
    """Progress of the demo's steps in a terminal, one line for each step elsewhere."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

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

    def __enter__(self) -> _Display:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
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


def _show(console: Console, results: DemoResults, out: Path) -> None:
    from rich.table import Table

    table = Table(title=f"Phantom, {results.test_cases} test cases: each image once for every lesion")
    table.add_column("")
    table.add_column("Dice", justify="right")
    table.add_column("follow rate", justify="right")
    table.add_row("blind ceiling (best without reading, by formula)", f"{results.blind_ceiling:.3f}", "")
    table.add_row("nnUNetTrainer, same budget", f"{results.blind_dice:.3f}", f"{results.blind_follow_rate:.2f}")
    table.add_row("ReportGuidedTrainer", f"{results.guided_dice:.3f}", f"{results.follow_rate:.2f}", style="bold")
    table.add_row("  swapped report, against what it describes", f"{results.swapped_own_dice:.3f}", "")
    table.add_row("  swapped report, against the original target", f"{results.swapped_original_dice:.3f}", "")
    console.print(table)
    console.print(f"{results.seconds:.0f} s on {results.machine}")
    console.print(f"Results: {out / 'results.json'}\nPicture: {out / 'overview.png'}", soft_wrap=True)
