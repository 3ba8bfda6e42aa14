"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import typer

from nnunet_reportseg.missing_report import MISSING_REPORT_VARIABLE

# What the generators of paired datasets share.
RawRoot = Annotated[Path, typer.Option("--out", "-o", envvar="nnUNet_raw", help="Folder of raw datasets (nnUNet_raw).")]
NewDataset = Annotated[int, typer.Option("--dataset", "-d", help="Number of the new dataset.")]
NewName = Annotated[str, typer.Option("--name", help="Name after the number.")]
TrainingCases = Annotated[int, typer.Option("--cases", help="Training cases.")]
TestVolumes = Annotated[int, typer.Option("--test-volumes", help="Test volumes; each gives one test case per lesion.")]
Lesions = Annotated[tuple[int, int], typer.Option("--lesions", help="Fewest and most lesions per volume.")]
Seed = Annotated[int, typer.Option("--seed", help="The same seed and input give the same dataset.")]

# What the commands that run a trained model share; names as nnUNetv2_predict has them.
TrainedOn = Annotated[str | None, typer.Option("-d", help="Dataset number or name that the model was trained on.")]
Configuration = Annotated[str, typer.Option("-c", help="Configuration.")]
Trainer = Annotated[str, typer.Option("-tr", help="Trainer.")]
Plans = Annotated[str, typer.Option("-p", help="Plans identifier.")]
ModelFolder = Annotated[Path | None, typer.Option("-m", help="Model folder, instead of -d -c -tr -p.")]
Checkpoint = Annotated[str, typer.Option("-chk", help="Checkpoint.")]
EncoderPlace = Annotated[
    str | None, typer.Option("-e", "--encoder", help="Where the model's encoder is, for sentences in no bank.")
]
StepSize = Annotated[float, typer.Option("-step_size", help="Step of the sliding window, in tiles.")]
DisableTta = Annotated[bool, typer.Option("--disable_tta", help="No mirroring.")]
Device = Annotated[str | None, typer.Option("-device", help="cuda, cpu or mps; by default cuda where there is one.")]


class MissingReport(Enum):
    """What a case without an entry in the sidecar means: an error, or no report."""

    ERROR = "error"
    NULL = "null"

    @property
    def choice(self) -> Literal["error", "null"]:
        """The value as the library's functions take it."""
        return "error" if self is MissingReport.ERROR else "null"


# The flag wins over the variable, the variable over the default, in every command.
MissingReportOption = Annotated[
    MissingReport,
    typer.Option(
        "--missing-report",
        envvar=MISSING_REPORT_VARIABLE,
        help="Whether a case without an entry is an error or has no report.",
    ),
]
