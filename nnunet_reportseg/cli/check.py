"""``reportseg check``: the sidecar against the raw dataset, every problem; and leakage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnunet_reportseg.cli.options import MissingReport, MissingReportOption


def command(
    dataset: Annotated[str, typer.Option("-d", "--dataset", help="Dataset number or name, for example 501.")],
    reports: Annotated[
        Path | None, typer.Option("-r", "--reports", help="Sidecar; by default reports.json in the raw dataset.")
    ] = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
    leakage: Annotated[
        bool,
        typer.Option("--leakage", help="Also look for what gives the answers away: shared patients, texts from masks."),
    ] = False,
    patient_pattern: Annotated[
        str | None,
        typer.Option(
            "--patient-pattern",
            help="With --leakage: regular expression whose first group in a case name is the patient.",
        ),
    ] = None,
) -> None:
    """Check reports.json against the raw dataset and name every problem; exit code 2 if there is an error.

    With --leakage the exit code is 1 if something is suspicious.

    Whether images and labels fit each other is nnU-Net's own check: nnUNetv2_plan_and_preprocess
    --verify_dataset_integrity.
    """
    if patient_pattern is not None and not leakage:
        raise typer.BadParameter("--patient-pattern needs --leakage")
    from nnunet_reportseg.cli.check_display import check_and_print
    from nnunet_reportseg.paths import RAW, dataset_folder_name, require_paths

    (raw,) = require_paths(RAW)
    folder = raw / dataset_folder_name(dataset, raw)
    if check_and_print(folder, sidecar_file=reports, missing_report=missing_report.choice):
        raise typer.Exit(2)
    if leakage and _find_leakage(folder, reports, missing_report, patient_pattern):
        raise typer.Exit(1)


def _find_leakage(folder: Path, reports: Path | None, missing_report: MissingReport, pattern: str | None) -> bool:
    """Look for leakage, print it, and tell whether anything is suspicious."""
    from rich.console import Console

    from nnunet_reportseg.cli.leakage_display import show_leakage
    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.leakage.leakage_check import check_leakage
    from nnunet_reportseg.paths import PREPROCESSED, require_paths, unset_paths

    preprocessed = None if unset_paths(PREPROCESSED) else require_paths(PREPROCESSED)[0] / folder.name
    with cases_progress("Measuring") as progress:
        report = check_leakage(
            folder,
            preprocessed_folder=preprocessed,
            sidecar_file=reports,
            missing_report=missing_report.choice,
            patient_pattern=pattern,
            progress=progress,
        )
    show_leakage(folder.name, report, Console())
    return bool(report.suspicions)
