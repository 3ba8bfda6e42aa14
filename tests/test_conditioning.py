"""The block in the plans: round trip through JSON, and what is refused by name."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from nnunet_reportseg.conditioning import (
    BLOCK_VERSION,
    PLANS_KEY,
    SENTENCE_STEP,
    ReportConditioning,
    TrainingRecipe,
    training_settings,
)
from nnunet_reportseg.errors import ModelMismatchError
from nnunet_reportseg.geometry import PatientAxes
from text_conditioning.stage_adapter import AdapterConfig

BLOCK = ReportConditioning(
    encoder="minilm",
    pooling="mean",
    encoder_fingerprint="0123456789abcdef",
    text_dim=384,
    sentences=16,
    adapter=AdapterConfig(memory_dim=64, feed_forward=0),
    recipe=TrainingRecipe(report_dropout=0.25, backbone_optimizer="adamw"),
    left_right_axis=2,
    patient_axes=PatientAxes((2, 1, 0), (1, -1, 1)),
    trained_with={"cases": 7, "sentences": 40},
)


def plans(**changes):
    """Plans as they are read back from a model folder."""
    block = BLOCK.to_json() | changes
    return json.loads(json.dumps({"plans_name": "nnUNetPlans", "dataset_name": "Dataset501_Chest", PLANS_KEY: block}))


def test_the_block_survives_json():
    read = ReportConditioning.from_plans(plans())
    assert read == BLOCK
    assert isinstance(read.adapter, AdapterConfig)
    assert isinstance(read.recipe, TrainingRecipe)
    assert isinstance(read.patient_axes, PatientAxes)


def test_a_block_without_orientation_survives_json():
    block = replace(BLOCK, left_right_axis=None, patient_axes=None)
    assert ReportConditioning.from_plans(json.loads(json.dumps({PLANS_KEY: block.to_json()}))) == block


def test_a_block_of_an_older_training_takes_the_default_of_a_field_it_lacks():
    adapter = asdict(BLOCK.adapter)
    del adapter["heads"]
    assert ReportConditioning.from_plans(plans(adapter=adapter)).adapter.heads == AdapterConfig().heads


def test_the_block_reads_the_plans_without_changing_them():
    given = plans()
    before = json.dumps(given)
    ReportConditioning.from_plans(given)
    assert json.dumps(given) == before


@pytest.mark.parametrize("block", [None, {}, {"adapter": {"heads": 2}}])
def test_plans_without_a_complete_block_are_refused_by_name(block):
    given = {"plans_name": "nnUNetPlans", "dataset_name": "Dataset501_Chest", PLANS_KEY: block}
    with pytest.raises(ModelMismatchError, match=r"(?s)nnUNetPlans.*Dataset501_Chest"):
        ReportConditioning.from_plans(given)


@pytest.mark.parametrize("version", [BLOCK_VERSION + 1, None])
def test_another_version_is_refused_with_both_versions(version):
    with pytest.raises(ModelMismatchError, match=rf"(?s){version}.*{BLOCK_VERSION}"):
        ReportConditioning.from_plans(plans(version=version))


@pytest.mark.parametrize("part", ["adapter", "recipe"])
def test_an_unknown_field_is_refused_by_name_with_the_known_ones(part):
    with pytest.raises(ModelMismatchError, match=r"(?s)headz.*(heads|report_dropout)"):
        ReportConditioning.from_plans(plans(**{part: {"headz": 3}}))


def test_an_unknown_field_of_the_block_itself_is_refused_by_name():
    with pytest.raises(ModelMismatchError, match="adaptor"):
        ReportConditioning.from_plans(plans(adaptor={}))


def test_a_missing_field_of_the_block_itself_is_refused_by_name():
    given = plans()
    del given[PLANS_KEY]["text_dim"]
    with pytest.raises(ModelMismatchError, match="text_dim"):
        ReportConditioning.from_plans(given)


WRONG = [
    ("text_dim", "384"),
    ("text_dim", True),
    ("sentences", 0),
    ("adapter", []),
    ("adapter.heads", 0),
    ("adapter.heads", 4.0),
    ("adapter.attention_stages", -1),
    ("adapter.film", 1),
    ("recipe.report_dropout", float("nan")),
    ("recipe.report_dropout", 1.5),
    ("recipe.sub_report", "0.5"),
    ("recipe.adapter_lr", float("inf")),
    ("recipe.adapter_lr", 0),
    ("recipe.adapter_weight_decay", [0.1]),
    ("recipe.backbone_optimizer", "adam"),
    ("left_right_axis", 3),
    ("patient_axes", "LPS"),
    ("patient_axes.axes", [2, 1, 9]),
    ("trained_with", ["many"]),
    ("encoder", 7),
]


def changed(field, value):
    outer, _, inner = field.partition(".")
    part = json.loads(json.dumps(BLOCK.to_json()))[outer]
    return {outer: part | {inner: value} if inner else value}


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_value_of_a_wrong_kind_is_refused_with_file_field_value_and_fix(field, value):
    with pytest.raises(ModelMismatchError) as caught:
        ReportConditioning.from_plans(plans(**changed(field, value)), file=Path("model/plans.json"))
    text = str(caught.value)
    wrong = value[-1] if field.endswith("axes") and isinstance(value, list) else value
    for part in ("model/plans.json", field, f"found: {wrong!r}", "Fix: "):
        assert part in text


@pytest.mark.parametrize(("field", "value"), [case for case in WRONG if case[0].startswith(("adapter", "recipe"))])
def test_a_wrong_setting_of_a_user_is_refused_the_same_way(field, value):
    outer, _, inner = field.partition(".")
    block = {outer: {inner: value} if inner else value}
    with pytest.raises(ModelMismatchError) as caught:
        training_settings({PLANS_KEY: block}, AdapterConfig(), TrainingRecipe(), file=Path("nnUNetPlans.json"))
    for part in ("nnUNetPlans.json", field, repr(value), "docs/design.md"):
        assert part in str(caught.value)


@pytest.mark.parametrize("block", ["yes", 3, [1], {"recipe": None}, {"adapter": "default"}])
def test_a_user_block_that_is_no_object_is_refused(block):
    with pytest.raises(ModelMismatchError, match="should be an object"):
        training_settings({PLANS_KEY: block}, AdapterConfig(), TrainingRecipe())


@pytest.mark.parametrize("asked", [True, False])
def test_a_trainer_is_asked_for_findings_or_is_not(asked):
    block = {PLANS_KEY: {"adapter": {"grounding": asked}}}
    with pytest.raises(ModelMismatchError, match=r"adapter\.grounding belongs to the trainer.*ReportGroundingTrainer"):
        training_settings(block, AdapterConfig(grounding=not asked), TrainingRecipe())
    assert training_settings(block, AdapterConfig(grounding=asked), TrainingRecipe())[0].grounding is asked


def test_all_wrong_fields_are_named_at_once():
    recipe = {"sub_report": -1, "report_dropout": 2}
    with pytest.raises(ModelMismatchError, match=r"(?s)report_dropout.*sub_report"):
        training_settings({PLANS_KEY: {"recipe": recipe}}, AdapterConfig(), TrainingRecipe())


def test_a_partial_block_changes_single_fields_of_what_the_trainer_has():
    adapter, recipe = AdapterConfig(film=False), TrainingRecipe(sub_report=0.25)
    given = {PLANS_KEY: {"adapter": {"heads": 2}, "recipe": {"adapter_lr": 1}}}
    assert training_settings(given, adapter, recipe) == (replace(adapter, heads=2), replace(recipe, adapter_lr=1.0))
    assert training_settings({}, adapter, recipe) == (adapter, recipe)


def test_the_block_of_a_model_in_the_plans_gives_its_settings_alone():
    given = plans(encoder="another", text_dim="not read")
    assert training_settings(given, AdapterConfig(), TrainingRecipe()) == (BLOCK.adapter, BLOCK.recipe)


def test_reports_are_padded_to_one_length_only_where_the_network_is_compiled():
    assert BLOCK.padded_to(compiled=True) == BLOCK.sentences
    assert BLOCK.padded_to(compiled=False) == SENTENCE_STEP < BLOCK.sentences
