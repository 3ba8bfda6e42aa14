"""Trainers for ``nnUNetv2_train -tr``; nnU-Net searches this folder by the variable nnUNet_extTrainer."""

from nnunet_reportseg.training.grounding_trainer import ReportGroundingTrainer
from nnunet_reportseg.training.presets import (
    ReportGuidedTrainer_AdaptersOnly,
    ReportGuidedTrainer_CrossAttention,
    ReportGuidedTrainer_FiLM,
    ReportGuidedTrainer_Gated,
    ReportGuidedTrainer_Hierarchical,
    ReportGuidedTrainer_NoReport,
)
from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer
from nnunet_reportseg.training.schedules import (
    ReportGroundingTrainer_1epoch,
    ReportGroundingTrainer_5epochs,
    ReportGroundingTrainer_10epochs,
    ReportGroundingTrainer_20epochs,
    ReportGroundingTrainer_50epochs,
    ReportGroundingTrainer_100epochs,
    ReportGroundingTrainer_250epochs,
    ReportGuidedTrainer_1epoch,
    ReportGuidedTrainer_5epochs,
    ReportGuidedTrainer_10epochs,
    ReportGuidedTrainer_20epochs,
    ReportGuidedTrainer_50epochs,
    ReportGuidedTrainer_100epochs,
    ReportGuidedTrainer_250epochs,
)

__all__ = [
    "ReportGroundingTrainer",
    "ReportGroundingTrainer_1epoch",
    "ReportGroundingTrainer_5epochs",
    "ReportGroundingTrainer_10epochs",
    "ReportGroundingTrainer_20epochs",
    "ReportGroundingTrainer_50epochs",
    "ReportGroundingTrainer_100epochs",
    "ReportGroundingTrainer_250epochs",
    "ReportGuidedTrainer",
    "ReportGuidedTrainer_1epoch",
    "ReportGuidedTrainer_5epochs",
    "ReportGuidedTrainer_10epochs",
    "ReportGuidedTrainer_20epochs",
    "ReportGuidedTrainer_50epochs",
    "ReportGuidedTrainer_100epochs",
    "ReportGuidedTrainer_250epochs",
    "ReportGuidedTrainer_AdaptersOnly",
    "ReportGuidedTrainer_CrossAttention",
    "ReportGuidedTrainer_FiLM",
    "ReportGuidedTrainer_Gated",
    "ReportGuidedTrainer_Hierarchical",
    "ReportGuidedTrainer_NoReport",
]
