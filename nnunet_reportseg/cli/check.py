"""``reportseg check``: the sidecar against the raw dataset, every problem in one table."""

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
) -> None:
    """Check reports.json against the raw dataset and name every problem; exit code 2 if there is an error.

    Whether images and labels fit each other is nnU-Net's own check: nnUNetv2_plan_and_preprocess
    --verify_dataset_integrity.
    """
    from nnunet_reportseg.cli.check_display import check_and_print
    from nnunet_reportseg.paths import RAW, dataset_folder_name, require_paths

    (raw,) = require_paths(RAW)
    folder = raw / dataset_folder_name(dataset, raw)
    if check_and_print(folder, sidecar_file=reports, missing_report=missing_report.choice):
        raise typer.Exit(2)
