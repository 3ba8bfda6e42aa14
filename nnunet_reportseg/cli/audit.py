"""``reportseg audit``: does a trained model follow its reports? Table, files, figure and a plain verdict."""

from __future__ import annotations

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
from nnunet_reportseg.cli.predict import read_folds
from nnunet_reportseg.cli.train import TRAINER


def command(
    dataset: TrainedOn = None,
    configuration: Configuration = "3d_fullres",
    trainer: Trainer = TRAINER,
    plans: Plans = "nnUNetPlans",
    folds: Annotated[
        list[str] | None,
        typer.Option("-f", help="Fold; its validation cases are audited. Several with --test or -i; by default all."),
    ] = None,
    model: ModelFolder = None,
    checkpoint: Checkpoint = "checkpoint_final.pth",
    test: Annotated[
        bool, typer.Option("--test", help="Audit imagesTs and labelsTs of the raw dataset instead of the fold.")
    ] = False,
    images: Annotated[
        Path | None, typer.Option("-i", help="Audit the images of this folder instead, <case>_0000<ending>.")
    ] = None,
    labels: Annotated[Path | None, typer.Option("-l", help="Labels of these images, <case><ending>.")] = None,
    reports: Annotated[
        Path | None, typer.Option("-r", "--reports", help="Sidecar; by default the dataset's, or IMAGES/reports.json.")
    ] = None,
    conditions: Annotated[
        str | None, typer.Option("--conditions", help="Names with commas between them; by default all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", help="Folder for the results; by default one in the model folder.")
    ] = None,
    max_cases: Annotated[
        int | None, typer.Option("--max-cases", min=1, help="Predict at most this many cases.")
    ] = None,
    encoder: EncoderPlace = None,
    missing_report: MissingReportOption = MissingReport.ERROR,
    step_size: StepSize = 0.5,
    disable_tta: DisableTta = False,
    device: Device = None,
) -> None:
    """Predict labelled cases under correct, wrong and reworded reports, and judge whether the model follows them."""
    from nnunet_reportseg.audit.conditions.registry import CONDITIONS
    from nnunet_reportseg.audit.files import write_audit
    from nnunet_reportseg.audit.job import AuditOptions, audit_model
    from nnunet_reportseg.cli.audit_display import show_audit
    from nnunet_reportseg.cli.progress import cases_progress
    from nnunet_reportseg.inference.model_folder import trained_model
    from nnunet_reportseg.missing_report import MISSING_REPORT_VARIABLE
    from nnunet_reportseg.trainer_folder import trainer_search_path

    os.environ["nnUNet_extTrainer"] = trainer_search_path(os.environ.get("nnUNet_extTrainer", ""))
    os.environ[MISSING_REPORT_VARIABLE] = missing_report.choice
    options = AuditOptions(
        model=trained_model(model, dataset, trainer, plans, configuration),
        folds=read_folds(folds),
        checkpoint=checkpoint,
        test=test,
        images=images,
        labels=labels,
        reports=reports,
        conditions=CONDITIONS if conditions is None else tuple(name.strip() for name in conditions.split(",")),
        out=out,
        max_cases=max_cases,
        encoder=encoder,
        step_size=step_size,
        mirroring=not disable_tta,
        device=device,
    )
    with cases_progress("Auditing") as progress:
        audit, folder = audit_model(options, progress=progress)
    files = write_audit(audit, folder)
    show_audit(audit, files)
