"""Trainers on the spy workspace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from nnunet_reportseg.trainer_folder import trainer_dir
from tests.spy_workspace import DATASET


def set_environment(patch: pytest.MonkeyPatch, root: Path) -> None:
    """nnU-Net's variables for a workspace, without workers."""
    for folder in ("raw", "preprocessed", "results"):
        patch.setenv(f"nnUNet_{folder}", str(root / folder))
    patch.setenv("nnUNet_extTrainer", str(trainer_dir()))
    patch.setenv("nnUNet_n_proc_DA", "0")
    for variable in ("REPORTSEG_ENCODER", "REPORTSEG_MISSING_REPORT"):
        patch.delenv(variable, raising=False)
    patch.setattr("nnunetv2.training.nnUNetTrainer.nnUNetTrainer.default_num_processes", 1)


def make_trainer(fold, configuration="3d_fullres", name="ReportGuidedTrainer", *, continue_training=False):
    from nnunetv2.run.run_training import get_trainer_from_args

    torch.manual_seed(0)
    np.random.seed(0)
    trainer = get_trainer_from_args(
        DATASET, configuration, fold, name, continue_training=continue_training, device=torch.device("cpu")
    )
    trainer.num_epochs, trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 8, 4
    return trainer
