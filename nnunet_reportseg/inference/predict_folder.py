"""Predict a folder of images with their reports; everything is checked before anything is written."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from nnunetv2.utilities.utils import create_lists_from_splitted_dataset_folder

from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.devices import require_device
from nnunet_reportseg.dicom_series import series_files
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.inference.body_box import body_threshold
from nnunet_reportseg.inference.dicom_input import find_series, require_dicom_model, written_as_volumes
from nnunet_reportseg.inference.dicom_seg import require_highdicom, require_usable_header
from nnunet_reportseg.inference.model_folder import load_model, require_sound_model
from nnunet_reportseg.inference.multi_report import REPORTS_AT_ONCE
from nnunet_reportseg.inference.predict_findings import predict_findings, questions_of
from nnunet_reportseg.inference.prediction_reports import sidecar_of
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.inference.streaming import StreamingPredictor
from nnunet_reportseg.raw_dataset import require_channel_numbers
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar


@dataclass(frozen=True)
class PredictionOptions:
    """Options of nnUNetv2_predict, under their own names, the encoder, and what a grounding model is asked for.

    Attributes:
        plans_resampling: whether logits are resampled as nnUNetv2_predict does (see StreamingPredictor).
        crop_to_body: whether air around the body is left out (nnunet_reportseg.inference.body_box).
        findings: free text; None for the findings of the sidecar.
        findings_per_batch: findings that are decoded in one pass.
        combined: whether all findings of a case are also written as one label map.
        dicom_seg: whether the findings of a DICOM series are also written as a DICOM SEG.
    """

    folds: tuple[int | str, ...] | None = None
    checkpoint: str = "checkpoint_final.pth"
    encoder: str | None = None
    step_size: float = 0.5
    mirroring: bool = True
    save_probabilities: bool = False
    overwrite: bool = True
    previous_stage: Path | None = None
    preprocessing_threads: int = 3
    export_threads: int = 3
    plans_resampling: bool = False
    crop_to_body: bool = False
    num_parts: int = 1
    part_id: int = 0
    device: str | None = None
    findings: tuple[str, ...] | None = None
    findings_per_batch: int = REPORTS_AT_ONCE
    combined: bool = False
    dicom_seg: bool = False


@dataclass(frozen=True)
class _Input:
    """Image files to predict.

    Attributes:
        folder: where they lie.
        files: channel files of each case, of the part that is asked for.
        series: for each case the DICOM files that they were written from, in order; none for images that were files.
    """

    folder: Path
    files: Mapping[str, list[str]]
    series: Mapping[str, Sequence[Path]] = field(default_factory=dict)


def predict_folder(images: Path, out: Path, *, model: Path, reports: Path | None, options: PredictionOptions) -> None:
    """Predict all cases of a folder.

    Args:
        images: folder with ``<case>_0000<ending>``, or with DICOM series (nnunet_reportseg.inference.dicom_input).
        out: folder for the segmentations.
        model: folder of the trained model.
        reports: sidecar; ``reports.json`` in ``images`` by default.
        options: everything else.

    Raises:
        DatasetError: no images, a fold was not trained, a DICOM series has gaps or is none, or an option does not go
            with the model.
        SidecarError: missing or invalid sidecar, a case without entry.
        ModelMismatchError: the model is damaged or not report-guided, or its encoder is not to be had.
        DeviceError: the device is not there.
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
    if options.dicom_seg:
        require_highdicom()
    predictor = _load(model, options)
    grounding = ReportConditioning.from_plans(predictor.plans_manager.plans).adapter.grounding
    if grounding and options.save_probabilities:
        raise DatasetError.about("masks of findings come without probabilities", fix="leave --save_probabilities out")
    if not grounding:
        _refuse_options_of_grounding(predictor, options)
    predict = _predict_findings if grounding else _predict_labels
    if not images.is_dir():
        raise DatasetError.about("no such folder", file=images, fix="correct -i")
    if out.exists() and not out.is_dir():
        raise DatasetError.about("the folder for the segmentations is a file", file=out, fix="name a folder with -o")
    ending = predictor.dataset_json["file_ending"]
    folders = {} if any(images.glob(f"*{ending}")) else find_series(images)
    if options.dicom_seg and not folders:
        raise DatasetError.about(
            "a DICOM SEG belongs to a DICOM series, and the input holds none",
            file=images,
            fix="name a folder of DICOM series with -i, or leave --dicom-seg out",
        )
    if not folders:
        files = _image_files(images, ending, options)
        predict(predictor, _Input(images, files), out, _read_sidecar(images, reports, list(files), options), options)
        return
    require_dicom_model(predictor.dataset_json, images)
    cases = list(folders)[options.part_id :: options.num_parts]
    sidecar = _read_sidecar(images, reports, cases, options)
    series = {case: series_files(folders[case], case=case) for case in cases}
    if options.dicom_seg:
        for case, slices in series.items():
            require_usable_header(slices, case=case)
    with written_as_volumes(series, ending) as folder:
        files = {case: [str(folder / f"{case}_0000{ending}")] for case in cases}
        predict(predictor, _Input(folder, files, series), out, sidecar, replace(options, num_parts=1, part_id=0))


def _load(model: Path, options: PredictionOptions) -> StreamingPredictor:
    device = require_device(options.device)
    if device.type == "cpu":
        torch.set_num_threads(os.cpu_count() or 1)  # as nnUNetv2_predict
    require_sound_model(model, options.folds, options.checkpoint)
    predictor = StreamingPredictor(
        tile_step_size=options.step_size,
        use_mirroring=options.mirroring,
        device=device,
        perform_everything_on_device=True,
    )
    load_model(predictor, model, options.folds, options.checkpoint)
    predictor.require_report_guided()
    if options.crop_to_body:
        body_threshold(predictor.plans_manager, predictor.configuration_manager)  # refuses what is no CT
        predictor.crop_to_body = True
    return predictor


def _image_files(images: Path, ending: str, options: PredictionOptions) -> dict[str, list[str]]:
    """Channel files of each case of a folder, of the part that is asked for."""
    require_channel_numbers(images, ending)
    lists = create_lists_from_splitted_dataset_folder(str(images), ending)
    if not lists:
        raise DatasetError.about(
            f"no images with ending {ending}, and no DICOM series",
            file=images,
            fix=f"name them <case>_0000{ending}, or put the DICOM files of each case into a folder <case>",
        )
    suffix = len("_0000" + ending)
    return {Path(files[0]).name[:-suffix]: files for files in lists[options.part_id :: options.num_parts]}


def _read_sidecar(images: Path, reports: Path | None, cases: Sequence[str], options: PredictionOptions) -> Sidecar:
    if reports is not None:
        return Sidecar.load(reports)
    if options.findings is not None and not (images / SIDECAR_NAME).is_file():
        return Sidecar.from_cases({case: {"report": None} for case in cases})
    return sidecar_of(images)


def _predict_labels(
    predictor: StreamingPredictor, given: _Input, out: Path, sidecar: Sidecar, options: PredictionOptions
) -> None:
    predictor.use_reports(sidecar, encoder=options.encoder)
    _require_previous_stage(predictor, options.previous_stage, list(given.files))
    previous = None if options.previous_stage is None else str(options.previous_stage)
    predictor.resample_as_planned = options.plans_resampling
    predictor.predict_from_files(
        str(given.folder),
        str(out),
        save_probabilities=options.save_probabilities,
        overwrite=options.overwrite,
        num_processes_preprocessing=options.preprocessing_threads,
        num_processes_segmentation_export=options.export_threads,
        folder_with_segs_from_prev_stage=previous,
        num_parts=options.num_parts,
        part_id=options.part_id,
    )


def _predict_findings(
    predictor: StreamingPredictor, given: _Input, out: Path, sidecar: Sidecar, options: PredictionOptions
) -> None:
    predictor.reports_at_once = options.findings_per_batch
    predict_findings(
        predictor,
        given.files,
        questions_of(sidecar, list(given.files), options.findings),
        out,
        sidecar=sidecar,
        encoder=options.encoder,
        overwrite=options.overwrite,
        combined=options.combined,
        series=given.series if options.dicom_seg else None,
    )


def _refuse_options_of_grounding(predictor: ReportGuidedPredictor, options: PredictionOptions) -> None:
    given = {"--finding": bool(options.findings), "--combined": options.combined, "--dicom-seg": options.dicom_seg}
    for option, asked in given.items():
        if asked:
            raise DatasetError.about(
                f"{predictor.trainer_name} does not answer for single findings",
                value=option,
                fix=f"leave {option} out, or choose a model of ReportGroundingTrainer (-tr)",
            )


def _require_previous_stage(predictor: ReportGuidedPredictor, folder: Path | None, cases: Sequence[str]) -> None:
    stage = predictor.configuration_manager.previous_stage_name
    if (stage is None) != (folder is None):
        raise DatasetError.about(
            "this configuration has no previous stage"
            if stage is None
            else f"this configuration needs the segmentations of the previous stage, {stage}",
            value=folder and str(folder),
            fix="leave -prev_stage_predictions out"
            if stage is None
            else "predict it first; -prev_stage_predictions DIR",
        )
    if folder is None:
        return
    ending = predictor.dataset_json["file_ending"]
    for case in cases:
        if not (folder / f"{case}{ending}").is_file():
            raise DatasetError.about(
                "the segmentation of the previous stage is missing",
                case=case,
                file=folder / f"{case}{ending}",
                fix=f"predict all cases with {stage} first",
            )
