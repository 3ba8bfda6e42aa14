"""The variants that are compared: presets, ablations of the default preset, and controls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from following.oracle import ORACLE
from following.token_states import MINILM, TOKEN_STATES

GUIDED, PLAIN = "ReportGuidedTrainer", "nnUNetTrainer"


@dataclass(frozen=True)
class Variant:
    """A network and how it is trained.

    Attributes:
        about: what it shows, for the page.
        trainer: class that nnU-Net finds by name.
        adapter: changes of the trainer's adapters.
        recipe: changes of the trainer's recipe.
        encoder: encoder of the embedding bank.
    """

    about: str
    trainer: str = GUIDED
    adapter: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    encoder: str = MINILM

    @property
    def guided(self) -> bool:
        """Whether the network has adapters (plain nnU-Net has none)."""
        return self.trainer != PLAIN


VARIANTS: dict[str, Variant] = {
    "default": Variant("the default preset"),
    "blind": Variant("plain nnU-Net, without reports", trainer=PLAIN),
    "no_report": Variant("the same network, never a report", trainer=f"{GUIDED}_NoReport"),
    "pooled": Variant("all sentences pooled to one vector", adapter={"pooled": True}),
    "token_keys": Variant(
        "token states as keys instead of sentence vectors", trainer=f"{GUIDED}_TokenKeys", encoder=TOKEN_STATES
    ),
    "film": Variant("FiLM only", trainer=f"{GUIDED}_FiLM"),
    "cross_attention": Variant("cross-attention only", trainer=f"{GUIDED}_CrossAttention"),
    "no_position": Variant("without position", adapter={"position_bands": 0}),
    "no_ffn": Variant("without the feed-forward layer", adapter={"feed_forward": 0}),
    "no_whitening": Variant("raw sentence vectors", recipe={"whitening": False}),
    "no_attention_supervision": Variant("without attention supervision", recipe={"attention_weight": 0.0}),
    "no_sub_reports": Variant("whole reports only", recipe={"sub_report": 0.0}),
    "sgd_only": Variant(
        "nnU-Net's SGD for everything", recipe={"backbone_optimizer": "sgd", "adapter_optimizer": "sgd"}
    ),
    "gated": Variant("gated attention", trainer=f"{GUIDED}_Gated"),
    "hierarchical": Variant("coarse and fine level of the report", trainer=f"{GUIDED}_Hierarchical"),
    "paired_mirroring": Variant("and patients mirrored with their reports", recipe={"paired_mirroring": 0.5}),
    "reports_in_most": Variant("a fifth of the samples without a report, not half", recipe={"report_dropout": 0.2}),
    "null_alone": Variant(
        "reports in no sample: what the network reaches without them", recipe={"report_dropout": 1.0}
    ),
    "alignment": Variant("and voxels aligned with sentences", recipe={"alignment_weight": 0.1}),
    "no_distractors": Variant("without sentences of other cases", recipe={"distractors": 0.0}),
    "no_invented_fillers": Variant("fillers as they are written", recipe={"invented_fillers": 0.0}),
    "no_denial": Variant("left-out findings passed over, never denied", recipe={"denial": 0.0}),
    "no_text_noise": Variant("without noise on sentence vectors", recipe={"text_noise": 0.0}),
    "no_balance": Variant("nnU-Net's choice of patches", recipe={"balanced": False}),
    "oracle": Variant("one-hot codes instead of sentence vectors", encoder=ORACLE),
}
