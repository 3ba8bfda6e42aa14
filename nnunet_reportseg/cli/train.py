"""``reportseg train``: nnUNetv2_train with the trainer folder set."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from nnunet_reportseg.cli.options import MissingReport, MissingReportOption

TRAINER = "ReportGuidedTrainer"


def command(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Dataset number or name.")],
    configuration: Annotated[str, typer.Argument(help="For example 3d_fullres.")],
    fold: Annotated[str, typer.Argument(help="0 to 4, or all.")],
    trainer: Annotated[str, typer.Option("-tr", help="Trainer.")] = TRAINER,
    encoder: Annotated[str | None, typer.Option("--encoder", help="Encoder, if the dataset has several.")] = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
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
    check_reports(dataset, missing_report)
    from nnunetv2.run.run_training import run_training_entry

    sys.argv = ["nnUNetv2_train", dataset, configuration, fold, "-tr", trainer, *context.args]
    run_training_entry()


def check_reports(dataset: str, missing_report: MissingReport) -> None:
    """Check the sidecar before nnU-Net writes a results folder.

    Args:
        dataset: number or name.
        missing_report: what a case without an entry means.
    """
    from nnunet_reportseg.paths import PREPROCESSED, dataset_folder_name, require_paths
    from nnunet_reportseg.raw_dataset import DATASET_JSON, read_label_set
    from nnunet_reportseg.sidecar import Sidecar
    from nnunet_reportseg.training_reports import find_sidecar

    (root,) = require_paths(PREPROCESSED)
    folder = root / dataset_folder_name(dataset, root)
    ending = read_label_set(folder / DATASET_JSON).file_ending
    cases = [file.name[: -len(ending)] for file in sorted((folder / "gt_segmentations").glob(f"*{ending}"))]
    Sidecar.load(find_sidecar(folder)).require_cases(cases, missing_report=missing_report.choice)
