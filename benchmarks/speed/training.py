"""A training step and the loading of batches: ReportGuidedTrainer beside nnUNetTrainer, same plans, same data."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.demo.job import Job, add_configuration
from nnunet_reportseg.demo.steps import plan_and_preprocess, seed_training
from nnunet_reportseg.demo.workspace import output_to, use_workspace
from nnunet_reportseg.paths import PREPROCESSED, RAW, RESULTS
from speed.timing import ratio, turns

DATASET = 531
STEP, LOADING = "3d_step", "3d_loading"  # configurations
TRAINERS = {"stock": "nnUNetTrainer", "reports": "ReportGuidedTrainer"}
PATCH = (32, 64, 64)  # of a step, for two CPU cores
LOADING_PATCH = (64, 128, 128)
BATCH, FEATURES, STAGES = 2, 32, 5
SHAPE = (80, 160, 160)
BATCHES_OF_A_TURN = 6


def measure(device: torch.device, patch: Sequence[int], repeats: int) -> dict[str, Any]:
    """Median seconds of both, and their ratio.

    Args:
        device: of the training step.
        patch: patch size, z y x.
        repeats: of which the median counts.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in (RAW, PREPROCESSED, RESULTS):
            (work / name).mkdir()
        use_workspace(work, 1)
        with output_to(work / "log.txt"):
            _write_dataset(work, {STEP: tuple(patch), LOADING: LOADING_PATCH})
            loaders = {kind: _trainer(name, LOADING, device).dataloader_train for kind, name in TRAINERS.items()}
            loading = turns({kind: _load(loader) for kind, loader in loaders.items()}, device, repeats=repeats)
            trainers = {kind: _trainer(name, STEP, device) for kind, name in TRAINERS.items()}
            steps = {kind: _step(trainer, next(trainer.dataloader_train)) for kind, trainer in trainers.items()}
            training = turns(steps, device, repeats=repeats)
            memory = _peak_memory(steps, device)
    return {
        "batch_size": BATCH,
        "first_features": FEATURES,
        "stages": STAGES,
        "train_step_seconds": {kind: median(found) for kind, found in training.items()},
        f"train_step_ratio_{'gpu' if device.type == 'cuda' else 'cpu'}": ratio(training["reports"], training["stock"]),
        "loading_patch": list(LOADING_PATCH),
        "load_batch_seconds": {kind: median(found) / BATCHES_OF_A_TURN for kind, found in loading.items()},
        "loader_ratio": ratio(loading["stock"], loading["reports"]),
        **memory,
    }


def _write_dataset(work: Path, patches: dict[str, tuple[int, ...]]) -> None:
    """A preprocessed phantom with a configuration for each patch size."""
    raw = write_phantom(
        work / RAW, dataset_id=DATASET, name="Speed", num_training=6, num_test_volumes=1, shape=SHAPE, seed=0
    )
    plans = work / PREPROCESSED / raw.name / f"{plan_and_preprocess(DATASET, 1)}.json"
    for configuration, patch in patches.items():
        add_configuration(
            plans, Job(DATASET, lambda _: raw, configuration, BATCH, FEATURES, patch_size=patch, stages=STAGES)
        )
    planned = json.loads(plans.read_text(encoding="utf-8"))
    for configuration in patches:
        sizes = planned["configurations"][configuration]["architecture"]["arch_kwargs"]
        sizes.update(n_conv_per_stage=[2] * STAGES, n_conv_per_stage_decoder=[2] * (STAGES - 1))  # as nnU-Net plans
    plans.write_text(json.dumps(planned), encoding="utf-8")


def _trainer(name: str, configuration: str, device: torch.device) -> Any:
    """A trainer that is ready for its first step, its loader in this process."""
    from nnunetv2.run.run_training import get_trainer_from_args

    os.environ["nnUNet_n_proc_DA"] = "0"
    seed_training(0)
    trainer: Any = get_trainer_from_args(str(DATASET), configuration, "all", name, device=device)
    trainer.on_train_start()
    return trainer


class _SameDraws(BasicTransform):  # type: ignore[misc]
    """Seeds the augmentation of each sample with its number: some draws cost a hundred times as much as others."""

    def __init__(self) -> None:
        super().__init__()
        self.number = 0

    def __call__(self, **data_dict: Any) -> dict[str, Any]:
        np.random.seed(self.number)
        torch.manual_seed(self.number)
        self.number += 1
        return data_dict


def _load(augmenter: Any) -> Any:
    """Loads some batches; both loaders draw the same augmentations."""
    loader = augmenter.data_loader
    pipeline = getattr(loader, "_pipeline", loader.transforms)
    pipeline.transforms.insert(0, _SameDraws())
    return lambda: [next(augmenter) for _ in range(BATCHES_OF_A_TURN)]


def _step(trainer: Any, batch: dict[str, Any]) -> Any:
    return lambda: trainer.train_step(batch)


def _peak_memory(steps: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """Peak of the memory of the GPU in a step of each; nothing on a CPU."""
    if device.type != "cuda":
        return {}
    peaks = {}
    for kind, step in steps.items():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step()
        peaks[kind] = torch.cuda.max_memory_allocated() - before
    return {"peak_bytes": peaks, "vram_ratio": round(peaks["reports"] / peaks["stock"], 3)}
