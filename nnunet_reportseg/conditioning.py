"""The block ``report_conditioning`` of a model's plans: what is needed to rebuild and check a report-guided model.

nnU-Net writes the plans to the model folder, ships them in nnUNetv2_export_model_to_zip and passes them to
build_network_architecture, so the block travels with the weights. Users may put a partial block (``adapter``,
``recipe``) into their plans file to change the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeVar

from nnunet_reportseg.errors import ModelMismatchError
from text_conditioning.stage_adapter import AdapterConfig

PLANS_KEY = "report_conditioning"
BLOCK_VERSION = 1

_Config = TypeVar("_Config")


@dataclass(frozen=True)
class TrainingRecipe:
    """How the network is made to read its text (docs/design.md).

    Attributes:
        report_dropout: probability of training on a sample without its report.
        sub_report: probability of training on a sub-report: each finding with label values stays with probability 0.5;
            sentences and voxels of the others are removed.
        attention_weight: weight of the attention supervision; without findings that have label values it is not used.
        adapter_lr: initial learning rate of the adapters (AdamW).
        adapter_weight_decay: weight decay of the adapters.
        backbone_optimizer: ``sgd`` (nnU-Net's own) or ``adamw`` (with ``adapter_lr``).
    """

    report_dropout: float = 0.1
    sub_report: float = 0.5
    attention_weight: float = 0.3
    adapter_lr: float = 1e-3
    adapter_weight_decay: float = 1e-2
    backbone_optimizer: Literal["sgd", "adamw"] = "sgd"

    def __post_init__(self) -> None:
        """Refuse an optimiser that is not there."""
        if self.backbone_optimizer not in ("sgd", "adamw"):
            raise ModelMismatchError(
                f"backbone_optimizer is '{self.backbone_optimizer}' in the plans' block '{PLANS_KEY}'; choose 'sgd' or "
                "'adamw'."
            )


@dataclass(frozen=True)
class ReportConditioning:
    """The block.

    Attributes:
        encoder: encoder name, hub id or folder as given to ``reportseg embed``.
        pooling: pooling of the encoder.
        encoder_fingerprint: of encoder weights, tokenizer, pooling and text processing.
        text_dim: dimension of the sentence vectors.
        sentences: number of sentences that reports are padded to.
        adapter: sizes of the adapters.
        recipe: training recipe.
        left_right_axis: array axis of patient left-right, None without orientation.
        patient_axes: orientation (:class:`nnunet_reportseg.geometry.PatientAxes`) where all training images share it.
        trained_with: statistics of the training reports.
        version: of this block.
    """

    encoder: str
    pooling: str
    encoder_fingerprint: str
    text_dim: int
    sentences: int
    adapter: AdapterConfig
    recipe: TrainingRecipe
    left_right_axis: int | None
    patient_axes: dict[str, Any] | None
    trained_with: dict[str, int]
    version: int = BLOCK_VERSION

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for the plans."""
        return asdict(self)

    @classmethod
    def from_plans(cls, plans: Mapping[str, Any]) -> ReportConditioning:
        """Read the block of a trained model.

        Raises:
            ModelMismatchError: no block, or one of another version.
        """
        block = plans.get(PLANS_KEY)
        if not block or "encoder_fingerprint" not in block:
            raise ModelMismatchError(
                f"The plans '{plans.get('plans_name')}' of {plans.get('dataset_name')} have no complete block "
                f"'{PLANS_KEY}', so no "
                "report-guided network can be built from them. Use the plans.json that training wrote to the model "
                "folder."
            )
        if block.get("version") != BLOCK_VERSION:
            raise ModelMismatchError(
                f"The plans' block '{PLANS_KEY}' has version {block.get('version')}, this package reads version "
                f"{BLOCK_VERSION}. "
                "Install the nnunet-reportseg that trained the model, or train again."
            )
        known = {field.name for field in fields(cls)}
        wrong = [f"unknown: {name}" for name in sorted(set(block) - known)]
        wrong += [f"missing: {name}" for name in sorted(known - set(block))]
        if wrong:
            raise ModelMismatchError(
                f"The plans' block '{PLANS_KEY}' has not the fields of version {BLOCK_VERSION} ({', '.join(wrong)}). "
                "Use the plans.json that training wrote to the model folder."
            )
        data = dict(block)
        data["adapter"] = overridden(AdapterConfig(), data["adapter"])
        data["recipe"] = overridden(TrainingRecipe(), data["recipe"])
        return cls(**data)


def require_known(given: Mapping[str, Any]) -> None:
    """Check the names in a block that a user put into a plans file.

    Raises:
        ModelMismatchError: a field that the block does not have.
    """
    known = [field.name for field in fields(ReportConditioning)]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ModelMismatchError(
            f"The plans' block '{PLANS_KEY}' sets {', '.join(unknown)}, which it does not have. Set 'adapter' or "
            "'recipe'."
        )


def overridden(default: _Config, changes: Mapping[str, Any] | None) -> _Config:
    """A config dataclass with some fields changed.

    Raises:
        ModelMismatchError: a field that the config does not have.
    """
    changes = dict(changes or {})
    known = [field.name for field in fields(default)]  # type: ignore[arg-type]
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise ModelMismatchError(
            f"The plans' block '{PLANS_KEY}' sets {', '.join(unknown)}, which {type(default).__name__} does not have. "
            f"Known fields: {', '.join(known)}."
        )
    return replace(default, **changes)  # type: ignore[type-var]
