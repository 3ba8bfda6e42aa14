"""``reportseg check``: the sidecar against the raw dataset, every problem in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nnunet_reportseg.cli.options import MissingReport, MissingReportOption

if TYPE_CHECKING:
    from rich.console import Console

    from nnunet_reportseg.dataset_check import Problem


def command(
    dataset: Annotated[str, typer.Option("-d", "--dataset", help="Dataset number or name, for example 501.")],
    reports: Annotated[
        Path | None, typer.Option("-r", "--reports", help="Sidecar; by default reports.json in the raw dataset.")
    ] = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
) -> None:
    """Check reports.json against the raw dataset and name every problem; exit code 2 if there is an error.

    Whether images and labels fit each other is nnU-Net's own check: nnUNetv2_plan_and_preprocess
    --verify_dataset_integrity.
    """
    from rich.console import Console

    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.dataset_check import check_dataset
    from nnunet_reportseg.paths import RAW, dataset_folder_name, require_paths

    (raw,) = require_paths(RAW)
    name = dataset_folder_name(dataset, raw)
    with cases_progress("Checking") as progress:
        problems = check_dataset(
            raw / name,
            sidecar_file=reports,
            missing_report=missing_report.choice,
            progress=progress,
        )
    console = Console()
    if problems:
        _print_problems(problems, console)
    errors = sum(problem.severity == "error" for problem in problems)
    console.print(f"{name}: {errors} errors, {len(problems) - errors} warnings", markup=False, highlight=False)
    if errors:
        raise typer.Exit(2)


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
