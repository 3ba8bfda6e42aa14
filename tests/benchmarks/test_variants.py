"""Every variant names a trainer that nnU-Net finds and settings that it takes; the oracle codes what is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from following.conditions import CONDITIONS, CORRECT, NULL_ALL, TOLD, blind_readings, distinct_reports, readings
from following.oracle import OracleEncoder
from following.prepare import HELD_OUT, LONG, write_plans
from following.runs import TRAINERS
from following.settings import Settings
from following.tasks import ATTRIBUTES, BUDGETS, IMPLANTS, SHAPES, implants_task, phantom_tasks
from following.variants import VARIANTS
from nnunet_reportseg.conditioning import PLANS_KEY, TrainingRecipe, training_settings
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from nnunet_reportseg.trainer_folder import SEARCH_PATH, require_trainer, trainer_search_path
from text_conditioning.stage_adapter import AdapterConfig


@pytest.fixture
def preprocessed(tmp_path):
    (tmp_path / "prepared.json").write_text(json.dumps({"plans": "nnUNetPlans"}))
    (tmp_path / "nnUNetPlans.json").write_text(json.dumps({"plans_name": "nnUNetPlans", "dataset_name": "D"}))
    return tmp_path


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_is_one_that_the_trainer_takes(preprocessed, monkeypatch, name):
    monkeypatch.setenv(SEARCH_PATH, trainer_search_path(str(TRAINERS)))
    variant = VARIANTS[name]
    trainer = require_trainer(variant.trainer)
    write_plans(preprocessed, variant, Settings(), "follow_plans")
    plans = json.loads((preprocessed / "follow_plans.json").read_text())
    assert plans["plans_name"] == "follow_plans"
    assert (PLANS_KEY in plans) == variant.guided
    if variant.guided:
        adapter, recipe = training_settings(plans, trainer.adapter, trainer.recipe)
        assert all(getattr(adapter, key) == value for key, value in variant.adapter.items())
        assert all(getattr(recipe, key) == value for key, value in variant.recipe.items())
        assert recipe.adapter_lr == Settings().recipe["adapter_lr"]


def test_variants_differ_from_the_default_in_what_they_name():
    for variant in VARIANTS.values():
        assert all(getattr(AdapterConfig(), key) != value for key, value in variant.adapter.items())
        own = {key: value for key, value in variant.recipe.items() if key != "backbone_optimizer"}
        assert all(getattr(TrainingRecipe(), key) != value for key, value in own.items())


def test_every_task_has_its_attributes():
    tasks = phantom_tasks(Settings())
    tasks[IMPLANTS] = implants_task(Settings(), [Path("ct.nii.gz")], Path("nodules"))
    assert set(tasks) == {*SHAPES, IMPLANTS} == set(ATTRIBUTES)
    assert len({task.dataset_id for task in tasks.values()}) == len(tasks)
    assert {name: task.budget for name, task in tasks.items()} == BUDGETS


@pytest.fixture(scope="module")
def negation(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw")
    return write_phantom(root, num_training=4, num_test_volumes=1, shape=(16, 40, 60), task="negation")


def test_the_oracle_knows_which_nodule_is_there(negation):
    names = (SIDECAR_NAME, HELD_OUT, LONG)
    sidecars = [Sidecar.load(negation / name) for name in names]
    encoder = OracleEncoder.of(sidecars)
    for case in sidecars[1].case_ids:
        findings = sidecars[1].findings(case)
        codes = encoder.encode([finding.text for finding in findings]).astype(int)
        assert [code[0] for code in codes] == [bool(finding.label_values) for finding in findings]
        for finding, code in zip(findings, codes, strict=True):
            assert (code[3], code[4]) == ("left" in finding.text.lower(), "right" in finding.text.lower())
    mirrored = OracleEncoder(["The left nodule persists."], []).encode(["The right nodule persists."])
    assert mirrored[0, 0] == 1


def test_an_image_is_read_under_every_condition_and_equal_reports_once(negation):
    tests = PairedTestSet(negation)
    found = readings(negation, {"test_000": list(tests.described)})["test_000"]
    assert {reading.condition for reading in found} == set(CONDITIONS) - {TOLD}
    # two cases: their reports, in seen wording, behind filler, and none; the swapped ones are those of the other case
    assert len(distinct_reports(found)) == 7
    swapped = [reading for reading in found if reading.condition == "swapped_own"]
    assert all(reading.target != reading.case for reading in swapped)
    own = {reading.case: reading.report for reading in found if reading.condition == "correct"}
    assert all(np.array_equal(reading.report.sentences, own[reading.target].sentences) for reading in swapped)


def test_a_network_without_reports_has_one_mask_for_all_that_it_is_scored_by():
    (found,) = blind_readings({"test_000": ["test_000_r1", "test_000_r2"]}).values()
    assert [(r.condition, r.target) for r in found] == [
        (NULL_ALL, None),
        *((condition, case) for condition in (CORRECT, TOLD) for case in ("test_000_r1", "test_000_r2")),
    ]
    assert len(distinct_reports(found)) == 1
