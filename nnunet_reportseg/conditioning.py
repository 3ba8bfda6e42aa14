"""The block ``report_conditioning`` of a model's plans: what is needed to rebuild and check a report-guided model.

nnU-Net writes the plans to the model folder, ships them in nnUNetv2_export_model_to_zip and passes them to
build_network_architecture, so the block travels with the weights. Users may put a partial block (``adapter``,
``recipe``) into their plans file to change the defaults.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from nnunet_reportseg.errors import ModelMismatchError, describe
from nnunet_reportseg.geometry import PatientAxes
from text_conditioning.stage_adapter import AdapterConfig

PLANS_KEY = "report_conditioning"
BLOCK_VERSION = 4
SENTENCE_STEP = 8  # reports are padded to a multiple of this many sentences

# JSON knows numbers, so "3" is no 3; the dataclasses inside take it over.
_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_Block = TypeVar("_Block")


@dataclass(frozen=True)
class TrainingRecipe:
    """How the network is made to read its text (docs/design.md).

    Attributes:
        report_dropout: probability of training on a sample without its report.
        sentence_dropout: probability of leaving out a sentence that belongs to no finding.
        distractors: probability of adding sentences of other cases that belong to no finding and name no side.
        invented_fillers: probability that a sentence as these, the case's own or added, gets a vector that belongs to
            no sentence, but lies where theirs do.
        denial: probability of denying a finding that a sub-report leaves out, instead of passing over it in silence.
        paired_mirroring: probability of mirroring the patient, image and report; above 0 predictions are averaged
            over both too, where nnU-Net mirrors.
        sub_report: probability of training on a sub-report: each finding with label values stays with probability 0.5;
            sentences and voxels of the others are removed.
        absent: of grounding: probability that a sample asks for something that is not there.
        another: of grounding: probability, of the other samples, that a patch that was chosen for a finding is asked
            for another finding of its case.
        balanced: whether a patch that must show foreground is chosen for a finding, drawn evenly from those of its
            case, which stays in the report with probability 0.5 (where there are sub-reports); False is nnU-Net's
            choice of a foreground voxel.
        text_noise: standard deviation of Gaussian noise on whitened sentence vectors, whose own is 1 on average; there
            is none without whitening.
        attention_weight: weight of the attention supervision; without findings that have label values it is not used.
        alignment_weight: weight of the alignment of a finding's voxels with its sentences; as above.
        adapter_optimizer: ``adamw``, or ``sgd``: nnU-Net's own, with its rate and weight decay, for comparison.
        adapter_lr: initial learning rate of the adapters (AdamW).
        adapter_weight_decay: weight decay of the adapters (AdamW).
        backbone_optimizer: ``sgd`` (nnU-Net's own), ``adamw`` (with ``adapter_lr``), or ``none``: the backbone
            is frozen, for pretrained weights (``-pretrained_weights``).
        batch_dice: Dice over the batch, whatever the plans say; False leaves it to them. Sub-reports make patches
            without target common, and a Dice for each sample learns slowly from those.
        whitening: whether the sentence vectors are whitened with the training sentences.
    """

    report_dropout: Annotated[float, Field(ge=0, le=1)] = 0.5
    sub_report: Annotated[float, Field(ge=0, le=1)] = 0.5
    sentence_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    distractors: Annotated[float, Field(ge=0, le=1)] = 0.5
    invented_fillers: Annotated[float, Field(ge=0, le=1)] = 0.5
    denial: Annotated[float, Field(ge=0, le=1)] = 0.5
    paired_mirroring: Annotated[float, Field(ge=0, le=1)] = 0.0
    absent: Annotated[float, Field(ge=0, lt=1)] = 0.25
    another: Annotated[float, Field(ge=0, lt=1)] = 0.25
    balanced: bool = True
    text_noise: Annotated[float, Field(ge=0)] = 1.0
    attention_weight: Annotated[float, Field(ge=0)] = 0.3
    alignment_weight: Annotated[float, Field(ge=0)] = 0.0
    adapter_optimizer: Literal["adamw", "sgd"] = "adamw"
    adapter_lr: Annotated[float, Field(gt=0)] = 1e-3
    adapter_weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    backbone_optimizer: Literal["sgd", "adamw", "none"] = "sgd"
    batch_dice: bool = True
    whitening: bool = True


@dataclass(frozen=True)
class ReportConditioning:
    """The block.

    Attributes:
        encoder: encoder name, hub id or folder as given to ``reportseg embed``.
        pooling: pooling of the encoder.
        encoder_fingerprint: of encoder weights, tokenizer, pooling and text processing.
        text_dim: dimension of the sentence vectors.
        sentences: number of sentences that reports are padded to where the network is compiled.
        adapter: sizes of the adapters.
        recipe: training recipe.
        left_right_axis: array axis of patient left-right, None without orientation.
        patient_axes: orientation where all training images share it.
        trained_with: statistics of the training reports.
        version: of this block.
        smallest_component_mm3: of grounding: the smallest component of a finding in the training labels, by which masks
            lose what is far smaller (nnunet_reportseg.credible_size); None keeps everything.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    encoder: str
    pooling: str
    encoder_fingerprint: str
    text_dim: Annotated[int, Field(ge=1)]
    sentences: Annotated[int, Field(ge=1)]
    adapter: AdapterConfig
    recipe: TrainingRecipe
    left_right_axis: Annotated[int, Field(ge=0, le=2)] | None
    patient_axes: PatientAxes | None
    trained_with: dict[str, int]
    version: int = BLOCK_VERSION
    smallest_component_mm3: Annotated[float, Field(gt=0)] | None = None

    def padded_to(self, *, compiled: bool) -> int:
        """Sentences that reports are padded to a multiple of: one length compiles once, without it padding is waste."""
        return self.sentences if compiled else SENTENCE_STEP

    @property
    def mirrors_patients(self) -> bool:
        """Whether images are mirrored left-right together with their reports."""
        return self.recipe.paired_mirroring > 0 and self.left_right_axis is not None

    @property
    def aligns(self) -> bool:
        """Whether training aligns findings with their sentences, for which the network needs a head."""
        reads = self.adapter.reads_report and not self.adapter.pooled
        return reads and self.recipe.alignment_weight > 0 and self.trained_with.get("findings", 0) > 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for the plans."""
        return asdict(self)

    @classmethod
    def from_plans(cls, plans: Mapping[str, Any], *, file: Path | None = None) -> ReportConditioning:
        """Read the block of a trained model.

        Args:
            plans: of the model.
            file: where they come from, for the messages.

        Raises:
            ModelMismatchError: no block, one of another version, or one with wrong fields.
        """
        block = plans.get(PLANS_KEY)
        where = file or f"plans '{plans.get('plans_name')}' of {plans.get('dataset_name')}"
        fix = "use the plans.json that training wrote to the model folder"
        if not isinstance(block, Mapping) or "encoder_fingerprint" not in block:
            raise ModelMismatchError.about(
                f"there is no complete block '{PLANS_KEY}', so no report-guided network can be built",
                file=where,
                fix=fix,
            )
        if block.get("version") != BLOCK_VERSION:
            raise ModelMismatchError.about(
                f"the block '{PLANS_KEY}' has version {block.get('version')!r}, this package reads {BLOCK_VERSION}",
                file=where,
                fix="install the nnunet-reportseg that trained the model, or train again",
            )
        return _validated(cls, block, where, fix)


@dataclass(frozen=True)
class _Settings:
    """What a user may set in the block of a plans file."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    adapter: AdapterConfig
    recipe: TrainingRecipe


def training_settings(
    plans: Mapping[str, Any], adapter: AdapterConfig, recipe: TrainingRecipe, *, file: Path | None = None
) -> tuple[AdapterConfig, TrainingRecipe]:
    """The settings of a training: a trainer's own, with what a partial block in the plans changes.

    Args:
        plans: of the dataset; the block may also be a complete one, of a model, whose other fields do not count.
        adapter: the trainer's own.
        recipe: the trainer's own.
        file: where the plans come from, for the messages.

    Raises:
        ModelMismatchError: the block has a field that is not known or of a wrong kind, or another ``grounding`` than
            the trainer.
    """
    block = plans.get(PLANS_KEY) or {}
    where = file or f"plans '{plans.get('plans_name')}' of {plans.get('dataset_name')}"
    fix = f"correct the block '{PLANS_KEY}'; it may set single fields of 'adapter' and 'recipe' (docs/design.md)"
    known = {field.name for field in fields(ReportConditioning)} - {"adapter", "recipe"}
    own = {"adapter": asdict(adapter), "recipe": asdict(recipe)}
    if isinstance(block, Mapping):
        given = {name: value for name, value in block.items() if name not in known}
        for name in own.keys() & given.keys():
            if isinstance(given[name], Mapping):
                given[name] = own[name] | given[name]
        block = own | given
    settings = _validated(_Settings, block, where, fix)
    if settings.adapter.grounding != adapter.grounding:
        raise ModelMismatchError.about(
            f"{PLANS_KEY}.adapter.grounding belongs to the trainer",
            file=where,
            value=settings.adapter.grounding,
            fix="leave it out, and choose ReportGroundingTrainer or another trainer with -tr",
        )
    return settings.adapter, settings.recipe


def _validated(kind: type[_Block], block: object, where: Path | str, fix: str) -> _Block:
    """Read a block of the plans, naming every wrong field."""
    try:
        # from JSON, where strict still means that a list can be a tuple and an object a dataclass
        return TypeAdapter(kind).validate_json(json.dumps(block))
    except ValidationError as error:
        raise ModelMismatchError("\n".join(_problem(p, kind, where, fix) for p in error.errors())) from error


def _problem(problem: Any, kind: type[Any], where: Path | str, fix: str) -> str:
    path = [str(part) for part in problem["loc"]]
    if problem["type"] == "unexpected_keyword_argument":
        parent = {"adapter": AdapterConfig, "recipe": TrainingRecipe}.get(path[0], kind) if len(path) > 1 else kind
        problem = problem | {"msg": f"no such field; there is {', '.join(field.name for field in fields(parent))}"}
    value = None if problem["type"] == "missing" else problem["input"]
    return describe(f"{'.'.join([PLANS_KEY, *path])}: {problem['msg']}", file=where, value=value, fix=fix)
