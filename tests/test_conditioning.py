"""The block in the plans: round trip through JSON, and what is refused by name."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from nnunet_reportseg.conditioning import BLOCK_VERSION, PLANS_KEY, ReportConditioning, TrainingRecipe, overridden
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
    patient_axes=PatientAxes((2, 1, 0), (1, -1, 1)).to_json(),
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
    assert PatientAxes.from_json(read.patient_axes) == PatientAxes((2, 1, 0), (1, -1, 1))


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


def test_overriding_changes_single_fields():
    default = TrainingRecipe()
    changed = overridden(default, {"sub_report": 0.75})
    assert changed == replace(default, sub_report=0.75)
    assert overridden(default, None) == default
    assert default == TrainingRecipe()
