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
    """Check the sidecar of a raw dataset and print every problem in one table.

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
    summary = f"{folder.name}: {errors} errors, {len(problems) - errors} warnings"
    console.print(summary, markup=False, highlight=False)
    return errors


def _print_problems(problems: list[Problem], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=True)
    for title in ("", "case", "problem", "fix"):
        table.add_column(title, overflow="fold")
    for problem in problems:
        found = f" (found: {problem.value})" if problem.value else ""
        style = "red" if problem.severity == "error" else "yellow"
        table.add_row(
            Text(problem.severity, style=style),
            Text(problem.case),
            Text(f"{problem.message}{found}\nfile {problem.file}"),
            Text(problem.fix),
        )
    console.print(table)
