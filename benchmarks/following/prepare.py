"""A task's dataset, written, preprocessed and embedded once for all of its runs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from following.oracle import OracleEncoder
from following.settings import Settings
from following.tasks import Task
from following.variants import MINILM, Variant
from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.case_reports import read_case_reports
from nnunet_reportseg.conditioning import PLANS_KEY
from nnunet_reportseg.demo.job import Job, add_configuration
from nnunet_reportseg.demo.steps import plan_and_preprocess
from nnunet_reportseg.embedding import BANK_FOLDER, sentences_of
from nnunet_reportseg.report_twins import with_twins
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from text_conditioning.bank import build_bank
from text_conditioning.encoders import FrozenTextEncoder

CONFIGURATION = "3d_following"
STAGES = 3
OVERSAMPLE_FOREGROUND = 0.5
HELD_OUT = f"imagesTs/{SIDECAR_NAME}"
SEEN_WORDING, LONG = "reportsTs/seen_wording.json", "reportsTs/long.json"
_MARKER = "prepared.json"


def prepare(task: Task, settings: Settings, processes: int) -> Path:
    """Write, plan, preprocess and embed, unless an earlier call did; what a killed one left is made anew.

    Args:
        task: the task.
        settings: scale.
        processes: for nnU-Net.

    Returns:
        The raw dataset folder.
    """
    raw_root, preprocessed_root = (Path(os.environ[name]) for name in ("nnUNet_raw", "nnUNet_preprocessed"))
    pattern = f"Dataset{task.dataset_id:03d}_*"
    for marker in preprocessed_root.glob(f"{pattern}/{_MARKER}"):
        return raw_root / marker.parent.name
    for left in [*raw_root.glob(pattern), *preprocessed_root.glob(pattern)]:
        shutil.rmtree(left)
    raw = task.write(raw_root)
    preprocessed = preprocessed_root / raw.name
    plans = plan_and_preprocess(task.dataset_id, processes)
    add_configuration(preprocessed / f"{plans}.json", _job(task, settings))
    embed(raw, preprocessed / BANK_FOLDER)
    write_text(preprocessed / _MARKER, json.dumps({"plans": plans}) + "\n")
    return raw


def embed(raw: Path, folder: Path) -> None:
    """Fill a bank of each encoder with all sentences of training and test, and with those of mirrored patients."""
    sidecars = [Sidecar.load(raw / name) for name in (SIDECAR_NAME, HELD_OUT, SEEN_WORDING, LONG)]
    reports = [r for sidecar in sidecars for r in read_case_reports(sidecar, list(sidecar.case_ids)).values()]
    sentences = sentences_of(with_twins(reports, denied=True))
    for encoder in (FrozenTextEncoder(MINILM), OracleEncoder.of(sidecars)):
        build_bank(folder, encoder, sentences)


def write_plans(preprocessed: Path, variant: Variant, settings: Settings, name: str) -> None:
    """Write the plans of a run: those of the dataset under a name of their own, with the variant's settings.

    Args:
        preprocessed: preprocessed dataset folder.
        variant: the variant.
        settings: scale.
        name: of the plans.
    """
    prepared = json.loads((preprocessed / _MARKER).read_text(encoding="utf-8"))
    plans: dict[str, Any] = json.loads((preprocessed / f"{prepared['plans']}.json").read_text(encoding="utf-8"))
    plans["plans_name"] = name
    if variant.guided:
        recipe = {**settings.recipe, **variant.recipe}
        plans[PLANS_KEY] = {"adapter": dict(variant.adapter), "recipe": recipe}
    write_text(preprocessed / f"{name}.json", json.dumps(plans, indent=1) + "\n")


def _job(task: Task, settings: Settings) -> Job:
    return Job(
        dataset_id=task.dataset_id,
        write=task.write,
        configuration=CONFIGURATION,
        batch_size=settings.batch_size,
        first_features=settings.features,
        patch_size=settings.patch,
        stages=STAGES,
        step_size=settings.step_size,
        mirroring=False,
        oversample_foreground=OVERSAMPLE_FOREGROUND,
    )
