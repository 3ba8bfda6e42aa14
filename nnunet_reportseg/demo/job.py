"""What a paired run does: which dataset, which small configuration of the plans, how long a training."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.conditioning import PLANS_KEY

SHORT_TRAINING = {"backbone_optimizer": "adamw", "adapter_lr": 2e-3}  # SGD needs more than a few hundred iterations


@dataclass(frozen=True)
class Job:
    """A paired run.

    Attributes:
        dataset_id: number of the dataset.
        write: writes the raw dataset into a folder of raw datasets and returns its folder.
        configuration: name of the configuration that is added to the plans; it inherits from ``3d_fullres``.
        batch_size: of the configuration.
        first_features: features of the first stage; doubled at each further stage.
        patch_size: of the configuration; the planned one where None.
        stages: number of stages; the planned number where None.
        epochs: epochs of each training.
        iterations: iterations of an epoch.
        recipe: changes of the training recipe (block ``report_conditioning`` of the plans).
        oversample_foreground: part of the samples that must show foreground; nnU-Net's default where None.
        mirroring: whether predictions average over flips.
        step_size: step of the sliding window, in tiles.
    """

    dataset_id: int
    write: Callable[[Path], Path]
    configuration: str
    batch_size: int
    first_features: int = 8
    patch_size: tuple[int, int, int] | None = None
    stages: int | None = None
    epochs: int = 4
    iterations: int = 100
    recipe: Mapping[str, Any] | None = None
    oversample_foreground: float | None = None
    mirroring: bool = True
    step_size: float = 0.5


def add_configuration(plans_file: Path, job: Job) -> None:
    """Add the job's configuration to a plans file, as users of nnU-Net add theirs; spacing and preprocessed data stay.

    Args:
        plans_file: ``nnUNet_preprocessed/DatasetXXX_Name/nnUNetPlans.json``.
        job: the run.
    """
    plans: dict[str, Any] = json.loads(plans_file.read_text(encoding="utf-8"))
    planned = plans["configurations"]["3d_fullres"]
    architecture = copy.deepcopy(planned["architecture"])
    sizes = architecture["arch_kwargs"]
    stages = job.stages or sizes["n_stages"]
    sizes["n_stages"] = stages
    sizes["kernel_sizes"] = sizes["kernel_sizes"][:stages]
    sizes["strides"] = sizes["strides"][:stages]
    sizes["features_per_stage"] = [job.first_features * 2**stage for stage in range(stages)]
    sizes["n_conv_per_stage"] = [1 if stage < stages // 2 else 2 for stage in range(stages)]
    sizes["n_conv_per_stage_decoder"] = [1] * (stages - 1)
    plans["configurations"][job.configuration] = {
        "inherits_from": "3d_fullres",
        "batch_size": job.batch_size,
        "patch_size": list(job.patch_size or planned["patch_size"]),
        # Sub-reports leave many patches without foreground: Dice over the batch learns from the first iterations on.
        "batch_dice": True,
        "architecture": architecture,
    }
    if job.recipe is not None:
        plans[PLANS_KEY] = {"recipe": dict(job.recipe)}
    write_text(plans_file, json.dumps(plans, indent=4) + "\n")
