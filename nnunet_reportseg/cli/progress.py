"""How far a command is, on stderr, so that stdout is free for results: a bar, or lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_S = 30.0  # in the log of a cluster's job; a command that takes less leaves none


@contextmanager
def cases_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far the block is while it runs.

    Args:
        title: What is being done.

    Yields:
        A function that takes the number of items done and the number of all.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(title)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """Prints a line from time to time."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = self._last = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last < LINE_EVERY_S:
            return
        self._last = now
        left = (now - self._started) * (total - done) / max(done, 1)
        remaining = f", {left / 60:.0f} min left" if done else ""
        print(f"{self._title}: {done} of {total}{remaining}", file=sys.stderr, flush=True)
