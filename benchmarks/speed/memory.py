"""Peak memory of a process and all that it started, from Linux's own account of shared pages."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROC = Path("/proc")
SECONDS_BETWEEN_LOOKS = 0.1


def run_and_watch(command: Sequence[str], environment: Mapping[str, str], log: Path) -> tuple[float, float]:
    """Run a command to its end.

    Args:
        command: the command.
        environment: its environment.
        log: for its output.

    Returns:
        Seconds, and the peak in MiB of the proportional set size, summed over the processes alive at the same time.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    start, peak = time.perf_counter(), 0.0
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=subprocess.STDOUT)
        while process.poll() is None:
            peak = max(peak, sum(_proportional_set_size(pid) for pid in _family(process.pid)))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, log.read_text(encoding="utf-8")[-2000:])
    return seconds, peak / 1024


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def _proportional_set_size(pid: int) -> float:
    """In KiB; 0 where the process has ended."""
    with contextlib.suppress(OSError, StopIteration):
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("Pss:")))
    return 0.0
