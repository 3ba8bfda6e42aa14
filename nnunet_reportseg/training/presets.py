"""Named presets of ReportGuidedTrainer: other adapters, or a part of the network trained.

They differ from the default in class attributes alone; a ``report_conditioning`` block in the plans may change single
fields of a preset too. How they compare is measured by benchmarks/text_following.py.
"""

from __future__ import annotations

from nnunet_reportseg.conditioning import TrainingRecipe
from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer
from text_conditioning.stage_adapter import AdapterConfig


class ReportGuidedTrainer_FiLM(ReportGuidedTrainer):  # noqa: N801
    """Scale and shift from the pooled report; no cross-attention."""

    adapter = AdapterConfig(attention_stages=0)


class ReportGuidedTrainer_CrossAttention(ReportGuidedTrainer):  # noqa: N801
    """Cross-attention to the sentences; no FiLM."""

    adapter = AdapterConfig(film=False)


class ReportGuidedTrainer_Gated(ReportGuidedTrainer):  # noqa: N801
    """A learned gate on what attention adds, starting half open."""

    adapter = AdapterConfig(gate=0.5)


class ReportGuidedTrainer_Hierarchical(ReportGuidedTrainer):  # noqa: N801
    """Coarse level of the report at deep stages, sentences at shallow ones, both gated (after Talk2MedSAM)."""

    adapter = AdapterConfig(attention_stages=4, hierarchical=True)


class ReportGuidedTrainer_AdaptersOnly(ReportGuidedTrainer):  # noqa: N801
    """Under a million trainable parameters on a frozen backbone; give its weights with ``-pretrained_weights``."""

    adapter = AdapterConfig(feed_forward=0)
    recipe = TrainingRecipe(backbone_optimizer="none")


class ReportGuidedTrainer_NoReport(ReportGuidedTrainer):  # noqa: N801
    """The control: the same network and training, and never a report, not at prediction either."""

    adapter = AdapterConfig(reads_report=False)
