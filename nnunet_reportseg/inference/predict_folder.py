"""Predict a folder of images with their reports; everything is checked before anything is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from nnunetv2.utilities.utils import create_lists_from_splitted_dataset_folder

from nnunet_reportseg.errors import DatasetError, ModelMismatchError
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.paths import RESULTS, dataset_folder_name, require_paths
from nnunet_reportseg.raw_dataset import require_channel_numbers
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar


@dataclass(frozen=True)
class PredictionOptions:
    """Options of nnUNetv2_predict, under their own names, and the encoder."""

    folds: tuple[int | str, ...] | None = None
    checkpoint: str = "checkpoint_final.pth"
    encoder: str | None = None
    step_size: float = 0.5
    mirroring: bool = True
    save_probabilities: bool = False
    overwrite: bool = True
    previous_stage: Path | None = None
    preprocessing_processes: int = 3
    export_processes: int = 3
    num_parts: int = 1
    part_id: int = 0
    device: str | None = None


def trained_model(model: Path | None, dataset: str | None, trainer: str, plans: str, configuration: str) -> Path:
    """Folder of a trained model.

    Raises:
        PathsError: nnUNet_results is not set.
        DatasetError: there is no such model; names those that are there.
    """
    if model is None:
        if dataset is None:
            raise DatasetError.about("no model was named", fix="give -d (with -c, -tr, -p) or -m")
        (results,) = require_paths(RESULTS)
        model = results / dataset_folder_name(dataset, results) / f"{trainer}__{plans}__{configuration}"
    if not (model / "plans.json").is_file():
        present = sorted(p.parent.name for p in model.parent.glob("*/plans.json")) if model.parent.is_dir() else []
        raise DatasetError.about(
            f"no trained model here; beside it: {', '.join(present) or 'none'}",
            file=model,
            fix="train first, or correct -d, -c, -tr and -p",
        )
    return model


def predict_folder(images: Path, out: Path, *, model: Path, reports: Path | None, options: PredictionOptions) -> None:
    """Predict all cases of a folder.

    Args:
        images: folder with ``<case>_0000<ending>``.
        out: folder for the segmentations.
        model: folder of the trained model.
        reports: sidecar; ``reports.json`` in ``images`` by default.
        options: everything else.

    Raises:
        DatasetError: no images, or a fold was not trained.
        SidecarError: missing or invalid sidecar, a case without entry.
        ModelMismatchError: the model is not report-guided, or its encoder is not to be had.
    """
    if not 0 < options.step_size <= 1:
        raise DatasetError.about(
            "step size out of range", value=options.step_size, fix="give -step_size above 0 and at most 1"
        )
    if not 0 <= options.part_id < options.num_parts:
        raise DatasetError.about(
            f"part out of range of {options.num_parts} parts",
            value=options.part_id,
            fix="give -part_id from 0 to -num_parts minus 1",
        )
    device = _device(options.device)
    missing = [
        f"fold_{fold}/{options.checkpoint}"
        for fold in options.folds or ()
        if not (model / f"fold_{fold}" / options.checkpoint).is_file()
    ]
    if missing or (options.folds is None and not list(model.glob(f"fold_[0-9]*/{options.checkpoint}"))):
        found = sorted(str(file.relative_to(model)) for file in model.glob("fold_*/*.pth"))
        raise DatasetError.about(
            f"checkpoint not found: {', '.join(missing) or options.checkpoint}",
            file=model,
            value=", ".join(found) or "no checkpoint",
            fix="finish the training, or choose a fold (-f) and checkpoint (-chk) that is there",
        )
    predictor = ReportGuidedPredictor(
        tile_step_size=options.step_size,
        use_mirroring=options.mirroring,
        device=device,
        perform_everything_on_device=True,
    )
    predictor.initialize_from_trained_model_folder(str(model), options.folds, options.checkpoint)
    predictor.require_report_guided()
    ending = predictor.dataset_json["file_ending"]
    if not images.is_dir():
        raise DatasetError.about("no such folder", file=images, fix="correct -i")
    require_channel_numbers(images, ending)
    lists = create_lists_from_splitted_dataset_folder(str(images), ending)
    if not lists:
        raise DatasetError.about(f"no images with ending {ending}", file=images, fix=f"name them <case>_0000{ending}")
    sidecar = Sidecar.load(reports or images / SIDECAR_NAME)
    predictor.use_reports(sidecar, encoder=options.encoder)
    predictor.queue_files(lists)
    out.mkdir(parents=True, exist_ok=True)
    previous = None if options.previous_stage is None else str(options.previous_stage)
    if options.preprocessing_processes == 0 and options.export_processes == 0:
        predictor.predict_from_files_sequential(
            str(images),
            str(out),
            save_probabilities=options.save_probabilities,
            overwrite=options.overwrite,
            folder_with_segs_from_prev_stage=previous,
        )
        return
    predictor.predict_from_files(
        str(images),
        str(out),
        save_probabilities=options.save_probabilities,
        overwrite=options.overwrite,
        num_processes_preprocessing=max(1, options.preprocessing_processes),
        num_processes_segmentation_export=max(1, options.export_processes),
        folder_with_segs_from_prev_stage=previous,
        num_parts=options.num_parts,
        part_id=options.part_id,
    )


def _device(name: str | None) -> torch.device:
    """As nnUNetv2_predict sets up threads and device."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cuda", "cpu", "mps") or (name == "cuda" and not torch.cuda.is_available()):
        raise ModelMismatchError.about(
            "device is not available", value=name, fix="choose -device cpu, cuda or mps, whichever this machine has"
        )
    if name == "cpu":
        torch.set_num_threads(os.cpu_count() or 1)
    return torch.device(name)
