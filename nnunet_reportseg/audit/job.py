"""The audit of a trained model folder: finds the cases, loads the model, and knows where the result goes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.conditions.registry import CONDITIONS, require_conditions
from nnunet_reportseg.audit.datasets import folder_cases, validation_cases
from nnunet_reportseg.audit.files import require_place
from nnunet_reportseg.audit.prediction import ModelReader
from nnunet_reportseg.audit.run import Audit, run_audit
from nnunet_reportseg.dataset_json import DATASET_JSON, LabelSet, read_label_set
from nnunet_reportseg.devices import require_device
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.inference.model_folder import PLANS_JSON, load_model, require_sound_model
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.inference.prediction_reports import bank_folder_of
from nnunet_reportseg.paths import PREPROCESSED, RAW, require_paths, unset_paths
from nnunet_reportseg.text_file import read_json_object
from nnunet_reportseg.version import __version__


@dataclass(frozen=True)
class AuditOptions:
    """What to audit; names as in nnUNetv2_predict.

    Attributes:
        model: folder of the trained model.
        folds: to load; None for all. Their validation cases are audited where nothing else is named: then it is one.
        checkpoint: name of the checkpoints.
        test: audit ``imagesTs`` and ``labelsTs`` of the raw dataset.
        images: audit the images of this folder.
        labels: labels of these images.
        reports: sidecar; that of the dataset or of the folder by default.
        conditions: by name.
        out: folder for the result; one in the model folder by default.
        max_cases: predict at most this many cases.
        encoder: for sentences that are in no bank; the model's own by default.
        step_size: of the sliding window, in tiles.
        mirroring: whether to average over flips.
        device: cuda where there is one by default.
    """

    model: Path
    folds: tuple[int | str, ...] | None = None
    checkpoint: str = "checkpoint_final.pth"
    test: bool = False
    images: Path | None = None
    labels: Path | None = None
    reports: Path | None = None
    conditions: tuple[str, ...] = CONDITIONS
    out: Path | None = None
    max_cases: int | None = None
    encoder: str | None = None
    step_size: float = 0.5
    mirroring: bool = True
    device: str | None = None


def audit_model(options: AuditOptions, *, progress: Callable[[int, int], None] | None = None) -> tuple[Audit, Path]:
    """Audit a trained model.

    Args:
        options: what and how.
        progress: called with the number of cases done and the number of all.

    Returns:
        The result, and the folder that it belongs into; nothing is written.

    Raises:
        DatasetError: options that do not fit, missing images or labels, an unknown condition.
        SidecarError: missing or invalid sidecar, a case without entry.
        ModelMismatchError: the model is damaged, not report-guided, a cascade or asked for findings, or its encoder is
            not to be had.
        DeviceError: the device is not there.
    """
    conditions = require_conditions(options.conditions)
    if not 0 < options.step_size <= 1:
        raise DatasetError.about(
            "step size out of range", value=options.step_size, fix="give -step_size above 0 and at most 1"
        )
    device = require_device(options.device)
    if device.type == "cpu":
        torch.set_num_threads(os.cpu_count() or 1)  # as nnUNetv2_predict
    require_sound_model(options.model, options.folds, options.checkpoint)
    labels = read_label_set(options.model / DATASET_JSON)
    plans = read_json_object(options.model / PLANS_JSON, DatasetError, what="the file", absent="train", start="train")
    dataset = str(plans["dataset_name"])
    cases, split = _cases(options, dataset, labels)
    out = options.out or options.model / "audit" / split
    require_place(out)
    predictor = MultiReportPredictor(
        tile_step_size=options.step_size,
        use_mirroring=options.mirroring,
        device=device,
        perform_everything_on_device=True,
        allow_tqdm=False,
    )
    load_model(predictor, options.model, options.folds, options.checkpoint)
    banks = [bank_folder_of(cases[0].images[0].parent)]
    if not unset_paths(PREPROCESSED):
        banks.append(bank_folder_of(Path(os.environ[PREPROCESSED]) / dataset))
    facts = {
        "dataset": dataset,
        "split": split,
        "model": options.model.name,
        "folds": list(options.folds or ("all that are there",)),
        "checkpoint": options.checkpoint,
        "step_size": options.step_size,
        "mirroring": options.mirroring,
        "device": device.type,
        "reportseg": __version__,
    }
    reader = ModelReader(predictor, bank_folders=banks, encoder=options.encoder)
    audit = run_audit(
        cases, labels, reader, conditions=conditions, max_cases=options.max_cases, facts=facts, progress=progress
    )
    return audit, out


def _cases(options: AuditOptions, dataset: str, labels: LabelSet) -> tuple[list[AuditCase], str]:
    """The cases to audit, and a name for them."""
    if options.images is None and options.labels is not None:
        raise DatasetError.about("labels without images", value=str(options.labels), fix="give -i too, or leave -l out")
    if options.images is not None:
        if options.test:
            raise DatasetError.about("both --test and -i are given", fix="give one of them")
        if options.labels is None:
            raise DatasetError.about("images without labels", value=str(options.images), fix="give -l too")
        cases = folder_cases(options.images, options.labels, labels.file_ending, options.reports)
        return cases, options.images.resolve().name
    (raw,) = require_paths(RAW)
    if options.test:
        folder = raw / dataset
        cases = folder_cases(folder / "imagesTs", folder / "labelsTs", labels.file_ending, options.reports)
        return cases, "test"
    if options.folds is None or len(options.folds) != 1:
        raise DatasetError.about(
            "the validation cases of one fold can be audited, of the model of that fold",
            value=options.folds and ", ".join(map(str, options.folds)),
            fix="give one fold with -f, or --test, or -i and -l",
        )
    (preprocessed,) = require_paths(PREPROCESSED)
    (fold,) = options.folds
    return validation_cases(raw / dataset, preprocessed / dataset, fold, options.reports), f"fold_{fold}"
