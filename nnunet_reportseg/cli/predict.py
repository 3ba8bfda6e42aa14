"""``reportseg predict``: nnUNetv2_predict with the options of reports."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from nnunet_reportseg.cli.options import (
    Checkpoint,
    Configuration,
    Device,
    DisableTta,
    EncoderPlace,
    MissingReport,
    MissingReportOption,
    ModelFolder,
    Plans,
    StepSize,
    TrainedOn,
    Trainer,
)
from nnunet_reportseg.cli.train import TRAINER


def command(
    images: Annotated[
        Path, typer.Option("-i", help="Folder of images, <case>_0000<ending> as for nnU-Net, or of DICOM series.")
    ],
    out: Annotated[Path, typer.Option("-o", help="Folder for the segmentations.")],
    dataset: TrainedOn = None,
    configuration: Configuration = "3d_fullres",
    trainer: Trainer = TRAINER,
    plans: Plans = "nnUNetPlans",
    folds: Annotated[
        list[str] | None, typer.Option("-f", help="Fold, several times for several; by default all.")
    ] = None,
    model: ModelFolder = None,
    checkpoint: Checkpoint = "checkpoint_final.pth",
    reports: Annotated[
        Path | None, typer.Option("-r", "--reports", help="Sidecar; by default IN/reports.json.")
    ] = None,
    encoder: EncoderPlace = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
    step_size: StepSize = 0.5,
    disable_tta: DisableTta = False,
    save_probabilities: Annotated[bool, typer.Option("--save_probabilities", help="Also save probabilities.")] = False,
    continue_prediction: Annotated[
        bool, typer.Option("--continue_prediction", help="Keep segmentations that are there.")
    ] = False,
    previous_stage: Annotated[
        Path | None, typer.Option("-prev_stage_predictions", help="Segmentations of the previous stage (cascade).")
    ] = None,
    preprocessing_threads: Annotated[int, typer.Option("-npp", min=1, help="Threads for preprocessing.")] = 3,
    export_threads: Annotated[int, typer.Option("-nps", min=1, help="Threads for export.")] = 3,
    plans_resampling: Annotated[
        bool,
        typer.Option(
            "--plans_resampling", help="Resample as nnUNetv2_predict does; slower, and needs memory for all classes."
        ),
    ] = False,
    crop_to_body: Annotated[
        bool, typer.Option("--crop_to_body", help="Leave air around the body out: fewer tiles. CT only.")
    ] = False,
    num_parts: Annotated[int, typer.Option("-num_parts", min=1, help="Number of parts the cases are split into.")] = 1,
    part_id: Annotated[int, typer.Option("-part_id", help="Which of them to predict, from 0.")] = 0,
    device: Device = None,
    finding: Annotated[
        list[str] | None,
        typer.Option(
            "--finding", help="What to look for, several times for several; by default those of reports.json."
        ),
    ] = None,
    findings_per_batch: Annotated[
        int, typer.Option("--findings-per-batch", min=1, help="Findings in one pass; fewer need less memory.")
    ] = 4,
    combined: Annotated[
        bool, typer.Option("--combined", help="Also write all findings of a case as one label map.")
    ] = False,
    dicom_seg: Annotated[
        bool, typer.Option("--dicom-seg", help="Also write the findings of a DICOM series as DICOM SEG.")
    ] = False,
) -> None:
    """Segment the images of a folder with their reports; with ReportGroundingTrainer, one mask for each finding."""
    from rich.console import Console

    from nnunet_reportseg.inference.model_folder import trained_model
    from nnunet_reportseg.inference.predict_folder import PredictionOptions, predict_folder
    from nnunet_reportseg.missing_report import MISSING_REPORT_VARIABLE
    from nnunet_reportseg.trainer_folder import trainer_search_path

    logging.getLogger("nnunet_reportseg.inference").setLevel(logging.INFO)  # which case is predicted
    os.environ["nnUNet_extTrainer"] = trainer_search_path(os.environ.get("nnUNet_extTrainer", ""))
    os.environ[MISSING_REPORT_VARIABLE] = missing_report.choice
    predict_folder(
        images,
        out,
        model=trained_model(model, dataset, trainer, plans, configuration),
        reports=reports,
        options=PredictionOptions(
            folds=read_folds(folds),
            checkpoint=checkpoint,
            encoder=encoder,
            step_size=step_size,
            mirroring=not disable_tta,
            save_probabilities=save_probabilities,
            overwrite=not continue_prediction,
            previous_stage=previous_stage,
            preprocessing_threads=preprocessing_threads,
            export_threads=export_threads,
            plans_resampling=plans_resampling,
            crop_to_body=crop_to_body,
            num_parts=num_parts,
            part_id=part_id,
            device=device,
            findings=tuple(finding) if finding else None,
            findings_per_batch=findings_per_batch,
            combined=combined,
            dicom_seg=dicom_seg,
        ),
    )
    Console().print(f"Masks: {out}", markup=False, highlight=False, soft_wrap=True)


def read_folds(folds: list[str] | None) -> tuple[int | str, ...] | None:
    """Folds as typed, as nnU-Net takes them; None for all.

    Raises:
        DatasetError: one is neither a number nor ``all``.
    """
    from nnunet_reportseg.errors import DatasetError

    for fold in folds or ():
        if fold != "all" and not fold.isdecimal():
            raise DatasetError.about("no such fold", value=fold, fix="give 0 to 4, or all")
    return tuple(fold if fold == "all" else int(fold) for fold in folds) if folds else None


def spread_folds(arguments: list[str]) -> list[str]:
    """``-f 0 1``, as nnU-Net spells it, as ``-f 0 -f 1``, which is what the option parser takes."""
    result: list[str] = []
    values = -1  # number of values since -f, -1 outside
    for argument in arguments:
        if argument == "-f":
            values = 0
        elif argument.startswith("-"):
            values = -1
        elif values >= 0:
            if values > 0:
                result.append("-f")
            values += 1
        result.append(argument)
    return result
