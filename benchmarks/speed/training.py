"""A training step and the loading of batches: ReportGuidedTrainer beside nnUNetTrainer, same plans, same data.

On a CPU the step is that of a small network; on a GPU that of a planned network, compiled as nnU-Net does.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from nnunet_reportseg.network.report_guided_unet import is_compiled
from nnunet_reportseg.paths import PREPROCESSED, RAW, RESULTS
from speed.planned import ARCHITECTURES, FEATURES, STAGES, UNETS
from speed.timing import ratio, turns

DATASET = 531
LOADING = "3d_loading"  # configuration
TRAINERS = {"stock": "nnUNetTrainer", "reports": "ReportGuidedTrainer"}
PATCHES = {"cpu": (32, 64, 64), "cuda": (128, 128, 128)}  # of a step
LOADING_PATCH = (64, 128, 128)
BATCH, SMALL_FEATURES, SMALL_STAGES = 2, 32, 5
SHAPE = (80, 160, 160)
LOADED_CASES, BATCHES_OF_A_TURN = 6, 6


def measure_steps(
    device: torch.device, patch: Sequence[int], architectures: Iterable[str], repeats: int
) -> dict[str, Any]:
    """Median seconds of a training step of both trainers, their ratio and, on a GPU, peak memory.

    Args:
        device: of the training.
        patch: patch size, z y x.
        architectures: keys of speed.planned.ARCHITECTURES.
        repeats: of which the median counts.
    """
    planned = device.type == "cuda"
    with step_workspace(patch, architectures, planned=planned) as configurations:
        os.environ["nnUNet_compile"] = "t" if planned else "f"
        return {kind: _measure_step(name, device, repeats) for kind, name in configurations.items()}


def measure_loading(repeats: int) -> dict[str, Any]:
    """Median seconds of a batch from both loaders, in one process, and their ratio.

    Args:
        repeats: of which the median counts.
    """
    with _workspace() as work:
        _write_dataset(work, {LOADING: (LOADING_PATCH, _network("default", False))}, cases=LOADED_CASES)
        cpu = torch.device("cpu")
        loaders = {kind: trainer_of(name, LOADING, cpu).dataloader_train for kind, name in TRAINERS.items()}
        loading = turns({kind: _load(loader) for kind, loader in loaders.items()}, cpu, repeats=repeats)
    return {
        "batch_size": BATCH,
        "patch": list(LOADING_PATCH),
        "load_batch_seconds": {kind: median(found) / BATCHES_OF_A_TURN for kind, found in loading.items()},
        "loader_ratio": ratio(loading["stock"], loading["reports"]),
    }


def _measure_step(configuration: str, device: torch.device, repeats: int) -> dict[str, Any]:
    trainers = {kind: trainer_of(name, configuration, device) for kind, name in TRAINERS.items()}
    steps = {kind: _step(trainer, next(trainer.dataloader_train)) for kind, trainer in trainers.items()}
    training = turns(steps, device, repeats=repeats)
    return {
        "batch_size": BATCH,
        "compiled": is_compiled(trainers["stock"].network),
        "train_step_seconds": {kind: median(found) for kind, found in training.items()},
        f"train_step_ratio_{'gpu' if device.type == 'cuda' else 'cpu'}": ratio(training["reports"], training["stock"]),
        **_peak_memory(steps, device),
    }


@contextmanager
def step_workspace(patch: Sequence[int], architectures: Iterable[str], *, planned: bool) -> Iterator[dict[str, str]]:
    """A preprocessed dataset with a configuration for each architecture, and their names.

    Args:
        patch: patch size, z y x.
        architectures: keys of speed.planned.ARCHITECTURES.
        planned: whether networks have the size that nnU-Net plans for a GPU.
    """
    configurations = {architecture: f"3d_step_{architecture}" for architecture in architectures}
    networks = {name: (tuple(patch), _network(kind, planned)) for kind, name in configurations.items()}
    with _workspace() as work:
        _write_dataset(work, networks, cases=BATCH)
        yield configurations


@contextmanager
def _workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in (RAW, PREPROCESSED, RESULTS):
            (work / name).mkdir()
        use_workspace(work, 1)
        with output_to(work / "log.txt"):
            yield work


def _network(architecture: str, planned: bool) -> dict[str, Any]:
    """Class and sizes of a network as nnU-Net plans it; where not planned, that of a smaller image."""
    name, blocks = ARCHITECTURES[architecture]
    stages = STAGES if planned else SMALL_STAGES
    features = FEATURES if planned else [SMALL_FEATURES * 2**stage for stage in range(stages)]
    sizes = {key: value[: stages - ("decoder" in key)] for key, value in blocks.items()}
    return {
        "network_class_name": f"{UNETS}.{name}",
        "n_stages": stages,
        "features_per_stage": list(features),
        "kernel_sizes": [[3, 3, 3]] * stages,
        "strides": [[1, 1, 1]] + [[2, 2, 2]] * (stages - 1),
        **sizes,
    }


def _write_dataset(
    work: Path, configurations: Mapping[str, tuple[tuple[int, ...], dict[str, Any]]], *, cases: int
) -> None:
    """A preprocessed phantom with some configurations, of which patch size and network are given."""
    raw = write_phantom(
        work / RAW, dataset_id=DATASET, name="Speed", num_training=cases, num_test_volumes=1, shape=SHAPE, seed=0
    )
    plans = work / PREPROCESSED / raw.name / f"{plan_and_preprocess(DATASET, 1)}.json"
    for name, (patch, _) in configurations.items():
        add_configuration(plans, Job(DATASET, lambda _: raw, name, BATCH, patch_size=patch))
    planned = json.loads(plans.read_text(encoding="utf-8"))
    for name, (_, network) in configurations.items():
        architecture = planned["configurations"][name]["architecture"]
        architecture["network_class_name"] = network["network_class_name"]
        sizes = architecture["arch_kwargs"]
        del sizes["n_conv_per_stage"]  # a residual encoder has n_blocks_per_stage in its place
        sizes.update({key: value for key, value in network.items() if key != "network_class_name"})
    plans.write_text(json.dumps(planned), encoding="utf-8")


def trainer_of(name: str, configuration: str, device: torch.device) -> Any:
    """A trainer that is ready for its first step, its loader in this process.

    Args:
        name: of its class.
        configuration: of the dataset of :func:`step_workspace`.
        device: of the training.
    """
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
