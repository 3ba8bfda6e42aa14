"""What every run of a benchmark does, whatever it predicts: its own plans, a seeded training, facts about the run."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from following.prepare import CONFIGURATION, OVERSAMPLE_FOREGROUND, write_plans
from following.runs import RunSpec
from following.settings import EPOCHS
from following.variants import Variant
from nnunet_reportseg.demo.machine import describe_machine, package_versions
from nnunet_reportseg.demo.steps import seed_training, train


@dataclass(frozen=True)
class TrainedRun:
    """A model with the places of its dataset.

    Attributes:
        model: its folder.
        raw: ``nnUNet_raw/DatasetXXX_Name``.
        preprocessed: ``nnUNet_preprocessed/DatasetXXX_Name``.
        device: of the training.
        seconds: that the training took.
        finished: when it ended, on the clock of ``time.perf_counter``.
    """

    model: Path
    raw: Path
    preprocessed: Path
    device: torch.device
    seconds: float
    finished: float

    def facts(self, spec: RunSpec) -> dict[str, Any]:
        """Of a run whose predictions have just ended, for its result file."""
        return {
            "benchmark": spec.benchmark,
            "variant": spec.variant,
            "seed": spec.seed,
            "iterations": spec.settings.epoch_iterations * EPOCHS,
            "training_seconds": round(self.seconds, 1),
            "prediction_seconds": round(time.perf_counter() - self.finished, 1),
            "device": self.device.type,
            "machine": describe_machine(self.device),
            "versions": package_versions(),
        }


def train_run(spec: RunSpec, variant: Variant, plans: str) -> TrainedRun:
    """Train a variant on all training cases of a run's dataset.

    Args:
        spec: the run.
        variant: what is trained.
        plans: name for the plans of this run; what a killed run of that name left is removed.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(spec.threads)
    raw, preprocessed, results = (
        Path(os.environ[f"nnUNet_{name}"]) / spec.dataset for name in ("raw", "preprocessed", "results")
    )
    shutil.rmtree(results / f"{variant.trainer}__{plans}__{CONFIGURATION}", ignore_errors=True)
    write_plans(preprocessed, variant, spec.settings, plans)
    seed_training(spec.seed)
    started = time.perf_counter()
    model = train(
        int(spec.dataset[len("Dataset") :][:3]),
        CONFIGURATION,
        variant.trainer,
        device,
        plans=plans,
        epochs=EPOCHS,
        iterations=spec.settings.epoch_iterations,
        oversample_foreground=OVERSAMPLE_FOREGROUND,
    )
    finished = time.perf_counter()
    return TrainedRun(Path(model), raw, preprocessed, device, finished - started, finished)


def times(facts: dict[str, Any]) -> str:
    """The times of ``TrainedRun.facts`` in words."""
    return f"{facts['training_seconds']:.0f} s of training, {facts['prediction_seconds']:.0f} s of prediction"
