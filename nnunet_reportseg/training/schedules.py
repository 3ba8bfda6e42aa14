"""Both trainers with nnU-Net's shorter schedules (as nnUNetTrainer_Xepochs in training/nnUNetTrainer/variants).

The constructors have nnU-Net's five parameters: nnUNetTrainer reads them by name from its own frame.
"""

from __future__ import annotations

from typing import Any

import torch

from nnunet_reportseg.training.grounding_trainer import ReportGroundingTrainer
from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer


def _schedule(trainer: type[ReportGuidedTrainer], epochs: int) -> type[ReportGuidedTrainer]:
    name = f"{trainer.__name__}_{epochs}epoch{'s' if epochs > 1 else ''}"

    def __init__(  # noqa: N807
        self: ReportGuidedTrainer,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008
    ) -> None:
        trainer.__init__(self, plans, configuration, fold, dataset_json, device)
        self.num_epochs = epochs

    return type(
        name,
        (trainer,),
        {"__init__": __init__, "__module__": __name__, "__doc__": f"{trainer.__name__} for {epochs} epochs."},
    )


ReportGuidedTrainer_1epoch = _schedule(ReportGuidedTrainer, 1)
ReportGuidedTrainer_5epochs = _schedule(ReportGuidedTrainer, 5)
ReportGuidedTrainer_10epochs = _schedule(ReportGuidedTrainer, 10)
ReportGuidedTrainer_20epochs = _schedule(ReportGuidedTrainer, 20)
ReportGuidedTrainer_50epochs = _schedule(ReportGuidedTrainer, 50)
ReportGuidedTrainer_100epochs = _schedule(ReportGuidedTrainer, 100)
ReportGuidedTrainer_250epochs = _schedule(ReportGuidedTrainer, 250)

ReportGroundingTrainer_1epoch = _schedule(ReportGroundingTrainer, 1)
ReportGroundingTrainer_5epochs = _schedule(ReportGroundingTrainer, 5)
ReportGroundingTrainer_10epochs = _schedule(ReportGroundingTrainer, 10)
ReportGroundingTrainer_20epochs = _schedule(ReportGroundingTrainer, 20)
ReportGroundingTrainer_50epochs = _schedule(ReportGroundingTrainer, 50)
ReportGroundingTrainer_100epochs = _schedule(ReportGroundingTrainer, 100)
ReportGroundingTrainer_250epochs = _schedule(ReportGroundingTrainer, 250)
