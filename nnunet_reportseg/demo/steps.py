"""Steps of a run through nnU-Net's own functions: plan and preprocess, seed, train. nnU-Net is imported inside."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from nnunet_reportseg.trainer_folder import load_lazy_modules

VALIDATION_ITERATIONS = 2


def plan_and_preprocess(dataset_id: int, processes: int) -> str:
    """Plan and preprocess the configuration ``3d_fullres`` of a raw dataset.

    Returns:
        The name of the plans.
    """
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

    extract_fingerprints([dataset_id], num_processes=processes)
    plans = plan_experiments([dataset_id])
    name = plans if isinstance(plans, str) else "nnUNetPlans"
    preprocess([dataset_id], name, configurations=("3d_fullres",), num_processes=(processes,))
    return name


def seed_training(seed: int) -> None:
    """Seed this process; call it before the trainer is made (nnU-Net's augmentation workers are not seeded)."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train(
    dataset_id: int,
    configuration: str,
    trainer_name: str,
    device: Any,
    *,
    plans: str = "nnUNetPlans",
    epochs: int,
    iterations: int,
    oversample_foreground: float | None = None,
    advance: Callable[[int], None] | None = None,
) -> str:
    """Train on all cases.

    Args:
        dataset_id: number of the dataset.
        configuration: of the plans.
        trainer_name: nnU-Net finds the class by it.
        device: torch device.
        plans: name of the plans.
        epochs: length of the training, and of the learning rate schedule.
        iterations: iterations of an epoch.
        oversample_foreground: part of the samples that must show foreground; nnU-Net's default where None.
        advance: called with the number of iterations done.

    Returns:
        The model folder.
    """
    from nnunetv2.run.run_training import get_trainer_from_args

    load_lazy_modules()
    trainer = get_trainer_from_args(str(dataset_id), configuration, "all", trainer_name, plans, device=device)
    trainer.num_epochs = epochs
    trainer.num_iterations_per_epoch = iterations
    trainer.num_val_iterations_per_epoch = VALIDATION_ITERATIONS
    if oversample_foreground is not None:
        trainer.oversample_foreground_percent = oversample_foreground
    train_step, done = trainer.train_step, 0

    def counted(batch: dict[str, Any]) -> dict[str, Any]:
        nonlocal done
        done += 1
        if advance is not None:
            advance(done)
        return train_step(batch)

    trainer.train_step = counted
    trainer.run_training()
    return str(trainer.output_folder_base)
