"""A task's dataset, written and preprocessed once for all of its runs, and embedded by each encoder that they need."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from following.oracle import ORACLE, OracleEncoder
from following.settings import Settings
from following.tasks import Task
from following.token_states import TOKEN_STATES, TokenStatesEncoder, expand
from following.variants import Variant
from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.case_reports import read_case_reports
from nnunet_reportseg.conditioning import PLANS_KEY
from nnunet_reportseg.demo.job import Job, add_configuration
from nnunet_reportseg.demo.steps import plan_and_preprocess
from nnunet_reportseg.embedding import BANK_FOLDER, sentences_of
from nnunet_reportseg.report_twins import with_twins
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from text_conditioning.bank import EmbeddingBank, build_bank
from text_conditioning.encoders import FrozenTextEncoder, TextEncoder

CONFIGURATION = "3d_following"
OVERSAMPLE_FOREGROUND = 0.5
HELD_OUT = f"imagesTs/{SIDECAR_NAME}"
SEEN_WORDING, LONG = "reportsTs/seen_wording.json", "reportsTs/long.json"
_MARKER = "prepared.json"


def prepare(task: Task, settings: Settings, processes: int, encoders: Iterable[str]) -> Path:
    """Write, plan, preprocess and embed, unless an earlier call did; a dataset that a killed one left is made anew.

    Args:
        task: the task.
        settings: scale.
        processes: for nnU-Net.
        encoders: names of the encoders whose banks are needed.

    Returns:
        The raw dataset folder.
    """
    raw_root, preprocessed_root = (Path(os.environ[name]) for name in ("nnUNet_raw", "nnUNet_preprocessed"))
    pattern = f"Dataset{task.dataset_id:03d}_*"
    done = [marker.parent for marker in preprocessed_root.glob(f"{pattern}/{_MARKER}")]
    if done:
        raw = raw_root / done[0].name
    else:
        for left in [*raw_root.glob(pattern), *preprocessed_root.glob(pattern)]:
            shutil.rmtree(left)
        raw = task.write(raw_root)
        preprocessed = preprocessed_root / raw.name
        plans = plan_and_preprocess(task.dataset_id, processes)
        add_configuration(preprocessed / f"{plans}.json", _job(task, settings))
        write_text(preprocessed / _MARKER, json.dumps({"plans": plans}) + "\n")
    embed(raw, preprocessed_root / raw.name / BANK_FOLDER, encoders)
    return raw


def embed(raw: Path, folder: Path, encoders: Iterable[str]) -> None:
    """Fill a bank of each encoder with all sentences of training and test, and with those of mirrored patients.

    Args:
        raw: raw dataset folder.
        folder: of the banks; those that are there stay.
        encoders: names of the encoders.
    """
    there = {index.encoder for index in EmbeddingBank.available(folder)}
    wanted = [name for name in dict.fromkeys(encoders) if name not in there]
    if not wanted:
        return
    sidecars = [Sidecar.load(raw / name) for name in (SIDECAR_NAME, HELD_OUT, SEEN_WORDING, LONG)]
    reports = [r for sidecar in sidecars for r in read_case_reports(sidecar, list(sidecar.case_ids)).values()]
    reports = with_twins(reports, training=True)
    for name in wanted:
        tokens = [expand(report) for report in reports] if name == TOKEN_STATES else []
        build_bank(folder, _encoder(name, sidecars), sentences_of([*reports, *tokens]))


def _encoder(name: str, sidecars: Sequence[Sidecar]) -> TextEncoder:
    if name == ORACLE:
        return OracleEncoder.of(sidecars)
    return TokenStatesEncoder() if name == TOKEN_STATES else FrozenTextEncoder(name)


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
        stages=settings.stages,
        step_size=settings.step_size,
        mirroring=False,
        oversample_foreground=OVERSAMPLE_FOREGROUND,
    )
