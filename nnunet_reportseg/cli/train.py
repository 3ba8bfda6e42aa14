"""``reportseg train``: nnUNetv2_train with the trainer folder set."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from nnunet_reportseg.cli.options import MissingReport

TRAINER = "ReportGuidedTrainer"


def command(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Dataset number or name.")],
    configuration: Annotated[str, typer.Argument(help="For example 3d_fullres.")],
    fold: Annotated[str, typer.Argument(help="0 to 4, or all.")],
    trainer: Annotated[str, typer.Option("-tr", help="Trainer.")] = TRAINER,
    encoder: Annotated[str | None, typer.Option("--encoder", help="Encoder, if the dataset has several.")] = None,
    missing_report: Annotated[
        MissingReport, typer.Option(help="Whether a case without an entry is an error or has no report.")
    ] = MissingReport.ERROR,
) -> None:
    """Train as nnUNetv2_train does; further options (-p, --c, --npz, -device, ...) are handed on to it."""
    from nnunet_reportseg.compatibility import require_supported_nnunet
    from nnunet_reportseg.embedding import ENCODER_VARIABLE
    from nnunet_reportseg.missing_report import MISSING_REPORT_VARIABLE
    from nnunet_reportseg.paths import require_paths
    from nnunet_reportseg.trainer_folder import trainer_search_path

    require_supported_nnunet()
    require_paths("nnUNet_preprocessed", "nnUNet_results")
    os.environ["nnUNet_extTrainer"] = trainer_search_path(os.environ.get("nnUNet_extTrainer", ""))
    os.environ[MISSING_REPORT_VARIABLE] = missing_report.choice
    if encoder is not None:
        os.environ[ENCODER_VARIABLE] = encoder
    from nnunetv2.run.run_training import run_training_entry

    sys.argv = ["nnUNetv2_train", dataset, configuration, fold, "-tr", trainer, *context.args]
    run_training_entry()
