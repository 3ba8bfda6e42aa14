"""ReportGuidedTrainer with nnU-Net's shorter schedules (as nnUNetTrainer_Xepochs in training/nnUNetTrainer/variants).

The constructors have nnU-Net's five parameters: nnUNetTrainer reads them by name from its own frame.
"""

from __future__ import annotations

from typing import Any

import torch

from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer


def _schedule(epochs: int) -> type[ReportGuidedTrainer]:
    name = f"ReportGuidedTrainer_{epochs}epoch{'s' if epochs > 1 else ''}"

    def __init__(  # noqa: N807
        self: ReportGuidedTrainer,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008
    ) -> None:
        ReportGuidedTrainer.__init__(self, plans, configuration, fold, dataset_json, device)
        self.num_epochs = epochs

    return type(
        name,
        (ReportGuidedTrainer,),
        {"__init__": __init__, "__module__": __name__, "__doc__": f"ReportGuidedTrainer for {epochs} epochs."},
    )


ReportGuidedTrainer_1epoch = _schedule(1)
ReportGuidedTrainer_5epochs = _schedule(5)
ReportGuidedTrainer_10epochs = _schedule(10)
ReportGuidedTrainer_20epochs = _schedule(20)
ReportGuidedTrainer_50epochs = _schedule(50)
ReportGuidedTrainer_100epochs = _schedule(100)
ReportGuidedTrainer_250epochs = _schedule(250)
