"""The cases that an audit finds in a generated dataset and in the folds of any dataset."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from nnunet_reportseg.audit.altered import Altered, Target
from nnunet_reportseg.audit.conditions.registry import CONDITIONS, alter
from nnunet_reportseg.audit.datasets import folder_cases, validation_cases
from nnunet_reportseg.audit.voxels import read_voxels
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.dataset_json import read_label_set
from nnunet_reportseg.errors import DatasetError, SidecarError
from tests.spy_workspace import CASES, DATASET, case_name


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    return write_phantom(tmp_path_factory.mktemp("raw"), num_training=4, num_test_volumes=4, seed=1)


def cases_of(folder, **options):
    return folder_cases(folder / "imagesTs", folder / "labelsTs", ".nii.gz", **options)


def test_the_own_target_of_every_condition_lies_where_its_report_says(phantom):
    """Independently of the code under test: by the sentences' words and the manifest's sites."""
    labels = read_label_set(phantom / "dataset.json")
    manifest = json.loads((phantom / "phantom.json").read_text())
    cases = cases_of(phantom)
    assert {case.case_id for case in cases} == set(manifest["test_cases"])
    altered = alter(cases, CONDITIONS, 0)
    checked = set()
    for case in cases:
        voxels = read_voxels(case, labels)
        np.testing.assert_array_equal(
            voxels.target(Target(lesion=case.lesions.described), labels) > 0, voxels.label > 0
        )
        lesions = manifest["volumes"][case.image_id]["lesions"]
        for name in ("shuffled", "laterality_swapped", "site_changed", "negated", "paraphrased"):
            made = altered[case.case_id][name]
            if not isinstance(made, Altered):
                continue
            said = [
                s.text.lower()
                for s in made.report.sentences
                if int(s.assertion) == 0
                and any(w in s.text.lower() for w in ("nodul", "mass", "lesion", "opacity", "density"))
            ]
            meant = [
                lesion["value"]
                for lesion in lesions
                if any(lesion["side"] in text and lesion["level"] in text for text in said)
            ]
            own = voxels.target(made.target, labels)
            found = sorted(set(np.unique(voxels.lesions[own > 0])))
            assert found == sorted(set(meant)), (case.case_id, name, said)
            checked.add((name, bool(found)))
    assert {("shuffled", True), ("site_changed", True), ("negated", False), ("laterality_swapped", True)} <= checked


def test_siblings_share_an_image_and_another_sidecar_makes_lesions_unknown(phantom, tmp_path):
    cases = {case.case_id: case for case in cases_of(phantom)}
    for case in cases.values():
        assert cases[case.sibling].image_id == case.image_id
        assert case.sibling != case.case_id
    other = shutil.copy(phantom / "imagesTs" / "reports.json", tmp_path / "other.json")
    for case in cases_of(phantom, reports=other):
        assert case.lesions is None
        assert case.sibling is None


def test_further_sidecars_are_found(phantom, tmp_path):
    folder = shutil.copytree(phantom, tmp_path / "copy")
    shutil.rmtree(folder / "reportsTs")
    assert not any(case.given for case in cases_of(folder))
    (folder / "reportsTs").mkdir()
    name = cases_of(folder)[0].case_id
    for kind in ("seen_wording", "long", "swapped", "unheard"):
        content = {"reportseg_version": 1, "cases": {name: {"report": f"This is the {kind} one."}}}
        (folder / "reportsTs" / f"{kind}.json").write_text(json.dumps(content))
    cases = cases_of(folder)
    assert set(cases[0].given) == {"seen_wording", "long", "swapped"}
    assert not cases[1].given
    made = alter(cases, CONDITIONS, 0)[name]
    for condition, kind in (("paraphrased", "seen_wording"), ("long", "long"), ("site_changed", "swapped")):
        assert [s.text for s in made[condition].report.sentences] == [f"This is the {kind} one."]


def test_missing_folders_labels_and_reports_are_named(phantom, tmp_path):
    with pytest.raises(DatasetError, match="-l"):
        folder_cases(phantom / "imagesTs", tmp_path / "no", ".nii.gz")
    folder = shutil.copytree(phantom, tmp_path / "copy")
    case = cases_of(folder)[0].case_id
    (folder / "labelsTs" / f"{case}.nii.gz").unlink()
    with pytest.raises(DatasetError, match=case):
        cases_of(folder)
    (folder / "imagesTs" / "reports.json").unlink()
    with pytest.raises(SidecarError, match=r"reports\.json"):
        folder_cases(folder / "imagesTs", phantom / "labelsTs", ".nii.gz")


def test_validation_cases_are_those_of_the_fold(spy_env):
    raw, preprocessed = spy_env / "raw" / DATASET, spy_env / "preprocessed" / DATASET
    cases = validation_cases(raw, preprocessed, 0)
    assert [case.case_id for case in cases] == [case_name(k) for k in range(CASES) if k % 2 == 1]
    assert all(len(case.images) == 4 and case.label.is_file() for case in cases)
    assert [len(case.finding_groups) for case in cases] == [2] * 3
    for fold in (2, "all"):
        with pytest.raises(DatasetError, match=str(fold)):
            validation_cases(raw, preprocessed, fold)
    with pytest.raises(DatasetError, match="train first"):
        validation_cases(raw, raw, 0)
