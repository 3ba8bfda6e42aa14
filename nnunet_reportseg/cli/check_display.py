"""Checks a dataset and prints its problems; what ``reportseg check`` and ``reportseg convert`` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console

    from nnunet_reportseg.dataset_check import Problem


def check_and_print(
    folder: Path, *, sidecar_file: Path | None = None, missing_report: Literal["error", "null"] = "error"
) -> int:
    """Check the sidecar of a raw dataset and print every problem.

    Args:
        folder: ``nnUNet_raw/DatasetXXX_Name``.
        sidecar_file: The sidecar; ``reports.json`` in that folder by default.
        missing_report: With ``"null"``, a case without an entry is a warning.

    Returns:
        The number of errors.

    Raises:
        SidecarError: The sidecar itself cannot be used.
        DatasetError: The folder is no raw nnU-Net dataset.
    """
    from rich.console import Console

    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.dataset_check import check_dataset

    with cases_progress("Checking") as progress:
        problems = check_dataset(folder, sidecar_file=sidecar_file, missing_report=missing_report, progress=progress)
    console = Console()
    if problems:
        _print_problems(problems, console)
    errors = sum(problem.severity == "error" for problem in problems)
    summary = f"{folder.name}: {_counted(errors, 'error')}, {_counted(len(problems) - errors, 'warning')}"
    console.print(summary, markup=False, highlight=False)
    return errors


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _print_problems(problems: list[Problem], console: Console) -> None:
    """One block for each problem, in whole lines: paths can be copied, and a search finds case and problem together."""
    from rich.text import Text

    for problem in problems:
        found = f" (found: {problem.value})" if problem.value else ""
        case = f" {problem.case}:" if problem.case else ":"
        severity = (problem.severity, "red" if problem.severity == "error" else "yellow")
        block = Text.assemble(severity, f"{case} {problem.message}{found}\n  file {problem.file}\n  fix: {problem.fix}")
        console.print(block, soft_wrap=True)
