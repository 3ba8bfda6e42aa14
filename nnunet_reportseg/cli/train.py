"""``reportseg train``: nnUNetv2_train with the trainer folder set, after a check of what it would fail on."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
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
    plans: Annotated[str, typer.Option("-p", help="Plans identifier.")] = "nnUNetPlans",
    pretrained_weights: Annotated[
        Path | None, typer.Option("-pretrained_weights", help="Checkpoint to start from.")
    ] = None,
    gpus: Annotated[int, typer.Option("-num_gpus", min=1, help="Number of GPUs.")] = 1,
    device: Annotated[str, typer.Option("-device", help="cuda, cpu or mps.")] = "cuda",
    encoder: Annotated[str | None, typer.Option("--encoder", help="Encoder, if the dataset has several.")] = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
) -> None:
    """Train as nnUNetv2_train does; its flags (--c, --npz, --val, ...) are handed on to it."""
    from nnunet_reportseg.embedding import ENCODER_VARIABLE
    from nnunet_reportseg.missing_report import MISSING_REPORT_VARIABLE
    from nnunet_reportseg.trainer_folder import SEARCH_PATH, trainer_search_path

    os.environ[SEARCH_PATH] = trainer_search_path(os.environ.get(SEARCH_PATH, ""))
    os.environ[MISSING_REPORT_VARIABLE] = missing_report.choice
    if encoder is not None:
        os.environ[ENCODER_VARIABLE] = encoder
    _require_flags(context.args, pretrained_weights)
    _require_devices(device, gpus)
    folder = _require_arguments(dataset, configuration, fold, trainer, plans)
    if "--val" in context.args:
        _require_finished(folder, configuration, fold, trainer, plans)
    if pretrained_weights is not None:
        _require_weights(pretrained_weights)
    from nnunetv2.run.run_training import run_training_entry

    start = [] if pretrained_weights is None else ["-pretrained_weights", str(pretrained_weights)]
    options = ["-tr", trainer, "-p", plans, "-num_gpus", str(gpus), "-device", device, *start]
    sys.argv = ["nnUNetv2_train", folder.name, configuration, fold, *options, *context.args]
    run_training_entry()


def _require_flags(flags: Sequence[str], pretrained_weights: Path | None) -> None:
    from nnunet_reportseg.errors import DatasetError

    given = [*flags, *(["-pretrained_weights"] if pretrained_weights is not None else [])]
    for one, other in (("--c", "--val"), ("--val_best", "--disable_checkpointing"), ("--c", "-pretrained_weights")):
        if one in given and other in given:
            raise DatasetError.about(f"{one} and {other} exclude each other", fix="leave one of them out")


def _require_devices(device: str, gpus: int) -> None:
    import torch

    from nnunet_reportseg.devices import require_device
    from nnunet_reportseg.errors import DeviceError

    require_device(device)
    if gpus > 1 and (device != "cuda" or gpus > torch.cuda.device_count()):
        raise DeviceError.about(
            f"this machine has {torch.cuda.device_count()} GPUs, and only cuda has several",
            value=f"-num_gpus {gpus} -device {device}",
            fix="leave -num_gpus out, or give as many as there are",
        )


def _require_arguments(dataset: str, configuration: str, fold: str, trainer: str, plans: str) -> Path:
    from nnunet_reportseg.dataset_json import DATASET_JSON, read_label_set
    from nnunet_reportseg.paths import PREPROCESSED, RESULTS, dataset_folder_name, require_paths
    from nnunet_reportseg.trainer_folder import require_trainer
    from nnunet_reportseg.training.arguments import require_configuration, require_fold

    root, _ = require_paths(PREPROCESSED, RESULTS)
    folder = root / dataset_folder_name(dataset, root)
    read_label_set(folder / DATASET_JSON)
    require_configuration(folder, plans, configuration)
    require_fold(folder, fold)
    require_trainer(trainer)
    return folder


def _require_finished(folder: Path, configuration: str, fold: str, trainer: str, plans: str) -> None:
    from nnunet_reportseg.inference.model_folder import find_checkpoints, trained_model

    model = trained_model(None, folder.name, trainer, plans, configuration)
    find_checkpoints(model, [fold], "checkpoint_final.pth")


def _require_weights(file: Path) -> None:
    from nnunet_reportseg.checkpoints import read_checkpoint

    read_checkpoint(file, needed=("network_weights",))
