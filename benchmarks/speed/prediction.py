"""Prediction end to end with 60 classes: ``reportseg predict`` beside ``nnUNetv2_predict``, same weights and images."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch

from nnunet_reportseg.demo.job import Job, add_configuration
from nnunet_reportseg.demo.steps import plan_and_preprocess, seed_training
from nnunet_reportseg.demo.workspace import output_to, use_workspace
from nnunet_reportseg.paths import PREPROCESSED, RAW, RESULTS
from speed.memory import run_and_watch
from speed.stages import stage_seconds

DATASET, NAME = 532, "Dataset532_Classes"
CONFIGURATION, TRAINER = "3d_classes", "ReportGuidedTrainer"
CLASSES = 60
TRAINING_SHAPE, PLANNED_SPACING = (32, 80, 80), 3.0
SPACING = (2.0, 1.0, 1.0)  # of the images to predict, z y x, mm
PATCH, STAGES = (48, 64, 64), 5
CASES = 2
REPORT = "Nodule in the right lung."


def measure(device: torch.device, shape: Sequence[int]) -> dict[str, Any]:
    """Seconds and peak memory of both commands, their ratios, seconds of each step, and how many voxels agree.

    Args:
        device: of the network.
        shape: of the images, z y x.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in (RAW, PREPROCESSED, RESULTS):
            (work / name).mkdir()
        use_workspace(work, 2)
        with output_to(work / "log.txt"):
            _write_dataset(work / RAW / NAME, shape)
            _make_model(work, device)
        found = {kind: _run(kind, work, device) for kind in ("stock", "ours")}
        (model,) = (work / RESULTS / NAME).iterdir()
        image = work / RAW / NAME / "imagesTs" / "test_0_0000.nii.gz"
        stages = stage_seconds(model, image, REPORT, work / PREPROCESSED / NAME, device)
        masks = {kind: [_voxels(work / kind / f"test_{n}.nii.gz") for n in range(CASES)] for kind in found}
    same = [float((a == b).mean()) for a, b in zip(masks["stock"], masks["ours"], strict=True)]
    return {
        "classes": CLASSES,
        "shape": list(shape),
        "cases": CASES,
        "seconds": {kind: round(seconds, 1) for kind, (seconds, _) in found.items()},
        "peak_mib": {kind: round(peak) for kind, (_, peak) in found.items()},
        f"predict_ratio_{CLASSES}_classes": round(found["ours"][0] / found["stock"][0], 3),
        f"predict_peak_ram_ratio_{CLASSES}_classes": round(found["ours"][1] / found["stock"][1], 3),
        "steps": stages,
        "voxels_that_agree": min(same),
        "labels_found": len(np.unique(masks["stock"][0])),
    }


def _write_dataset(raw: Path, shape: Sequence[int]) -> None:
    rng = np.random.default_rng(0)
    for part in ("imagesTr", "labelsTr", "imagesTs"):
        (raw / part).mkdir(parents=True)
    labels = np.zeros(TRAINING_SHAPE, dtype=np.uint8)
    for number in range(CLASSES):
        z, y, x = 4 + 8 * (number % 3), 4 + 14 * (number // 3 % 5), 4 + 18 * (number // 15)
        labels[z : z + 6, y : y + 10, x : x + 12] = number + 1
    cases = {}
    for n in range(2):
        image = rng.normal(0, 100, TRAINING_SHAPE) + 10 * labels
        _write(image.astype(np.float32), raw / "imagesTr" / f"train_{n}_0000.nii.gz", [PLANNED_SPACING] * 3)
        _write(labels, raw / "labelsTr" / f"train_{n}.nii.gz", [PLANNED_SPACING] * 3)
        cases[f"train_{n}"] = {"report": "Nodule in the left lung."}
    for n in range(CASES):
        coarse = torch.from_numpy(rng.normal(0, 100, [1, 1, *(max(2, s // 6) for s in shape)]))
        image = torch.nn.functional.interpolate(coarse, size=tuple(shape), mode="trilinear")[0, 0].numpy()
        _write(image.astype(np.float32), raw / "imagesTs" / f"test_{n}_0000.nii.gz", SPACING)
    tests = {f"test_{n}": {"report": REPORT} for n in range(CASES)}
    _write_json(raw / "reports.json", {"reportseg_version": 1, "cases": cases})
    _write_json(raw / "imagesTs" / "reports.json", {"reportseg_version": 1, "cases": tests})
    names = {"background": 0, **{f"class_{number}": number for number in range(1, CLASSES + 1)}}
    common = {"channel_names": {"0": "CT"}, "file_ending": ".nii.gz"}
    _write_json(raw / "dataset.json", {**common, "labels": names, "numTraining": 2})


def _make_model(work: Path, device: torch.device) -> None:
    """A model folder with weights as they are before training."""
    from nnunetv2.run.run_training import get_trainer_from_args

    plans = plan_and_preprocess(DATASET, 2)
    job = Job(DATASET, lambda raw: raw / NAME, CONFIGURATION, batch_size=2, patch_size=PATCH, stages=STAGES)
    file = work / PREPROCESSED / NAME / f"{plans}.json"
    add_configuration(file, job)
    planned = json.loads(file.read_text(encoding="utf-8"))
    planned["configurations"][CONFIGURATION]["spacing"] = [PLANNED_SPACING] * 3
    _write_json(file, planned)
    os.environ["nnUNet_n_proc_DA"] = "0"
    seed_training(0)
    trainer: Any = get_trainer_from_args(str(DATASET), CONFIGURATION, "all", TRAINER, device=device)
    trainer.on_train_start()
    trainer.save_checkpoint(str(Path(trainer.output_folder) / "checkpoint_final.pth"))


def _run(kind: str, work: Path, device: torch.device) -> tuple[float, float]:
    scripts = Path(sys.executable).parent
    command = [str(scripts / "nnUNetv2_predict")] if kind == "stock" else [str(scripts / "reportseg"), "predict"]
    images = work / RAW / NAME / "imagesTs"
    options = ["-i", images, "-o", work / kind, "-d", DATASET, "-c", CONFIGURATION, "-tr", TRAINER, "-f", "all"]
    options += ["-device", device.type, "--disable_tta", "-npp", 1, "-nps", 1]
    return run_and_watch([*command, *map(str, options)], dict(os.environ), work / f"{kind}.log")


def _voxels(file: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(file)))


def _write(voxels: np.ndarray, file: Path, spacing: Sequence[float]) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing([float(size) for size in reversed(spacing)])
    sitk.WriteImage(image, str(file))


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
