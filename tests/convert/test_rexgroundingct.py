"""``reportseg convert rexgroundingct`` on a release of two CT volumes whose label affines are wrong, as published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.convert.commands import assert_refused, convert
from tests.convert.phantom import SHAPE, assert_label_at, assert_same_places, ct_voxels, read_json, write_nifti

A, B, C = "train_12_a_1", "train_7_b_2", "valid_3_a_1"
FINDINGS = {
    A: {"0": "Nodule in the left upper lobe", "1": "Consolidation around it.", "2": "Small effusion."},
    B: {"0": "Ground glass opacity."},
    C: {"0": "A cyst."},
}
CT_OF = {
    A: "dataset/train_fixed/train_12/train_12_a",
    B: "dataset/train_fixed/train_7/train_7_b",
    C: "dataset/valid_fixed/valid_3/valid_3_a",
}
# Instances 1 and 2 of finding 0, the second inside finding 1; finding 2 was not outlined.
MASKS = {
    A: {(0, 1, 2, 1): 1, (0, 5, 2, 1): 2, (1, 5, 2, 1): 1, (1, 1, 7, 3): 1},
    B: {(0, 1, 7, 3): 1},
    C: {(0, 5, 2, 1): 1},
}
CSV = (
    "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
    f'{A}.nii.gz,Not given.,"Helical, without contrast.","Nodule in the left upper lobe. Small effusion.",Nodule.\n'
    f"{B}.nii.gz,Cough.,,Ground glass opacity.,Not given.\n"
)


class Release:
    """The files of a release; each can be spoiled before it is converted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.description: dict[str, Any] = {"train": [self._item(A), self._item(B)], "val": [self._item(C)]}
        for case in (A, B, C):
            write_nifti(folder / CT_OF[case] / f"{case}.nii.gz", ct_voxels())
            self.write_masks(case, np.zeros((len(FINDINGS[case]), *SHAPE), np.uint8))
        (folder / "reports.csv").write_text(CSV, encoding="utf-8")

    def _item(self, case: str) -> dict[str, Any]:
        findings = FINDINGS[case]
        return {
            "name": f"{case}.nii.gz",
            "findings": dict(findings),
            "categories": {index: f"2{index}" for index in findings},
            "entity_counts": {index: 1 for index in findings},
            "shape": [len(findings), *SHAPE],
            "pixels": {index: {"1": 1} for index in findings},
        }

    def write_masks(self, case: str, masks: np.ndarray) -> None:
        for place, instance in MASKS[case].items():
            masks[place] = instance
        write_nifti(self.folder / "segmentations" / f"{case}.nii.gz", masks, np.diag((-1, 1, 1, 1)))

    def arguments(self, raw: Path, *more: object) -> tuple[object, ...]:
        (self.folder / "dataset.json").write_text(json.dumps(self.description), encoding="utf-8")
        return (
            "rexgroundingct", "-i", self.folder / "dataset.json", "--images", self.folder, "-o", raw, "-d", 511, *more,
        )  # fmt: skip

    def ct(self, case: str) -> Path:
        return self.folder / CT_OF[case] / f"{case}.nii.gz"


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path / "release")


def test_masks_lie_where_the_ct_says_and_overlaps_have_values(release: Release, tmp_path: Path) -> None:
    assert convert(*release.arguments(tmp_path, "--held-out", "val", "-r", release.folder / "reports.csv")) == 2
    assert not list(tmp_path.glob("Dataset*"))  # the table has no report of the validation case
    assert convert(*release.arguments(tmp_path, "-r", release.folder / "reports.csv")) == 0
    folder = tmp_path / "Dataset511_ReXGroundingCT"
    for case in (A, B):
        assert_same_places(folder / "imagesTr" / f"{case}_0000.nii.gz", release.ct(case))
    label = folder / "labelsTr" / f"{A}.nii.gz"
    for value, mark in ((1, 700), (2, 900), (3, 800)):
        assert_label_at(label, value, release.ct(A), [mark])
    assert_label_at(folder / "labelsTr" / f"{B}.nii.gz", 1, release.ct(B), [900])
    cases = read_json(folder / "reports.json")["cases"]
    assert cases[A]["findings"] == [
        {"id": "0", "text": "Nodule in the left upper lobe", "label_values": [1, 3]},
        {"id": "1", "text": "Consolidation around it.", "label_values": [2, 3]},
        {"id": "2", "text": "Small effusion.", "label_values": []},
    ]
    assert cases[A]["report"] == (
        "TECHNIQUE: Helical, without contrast.\n"
        "FINDINGS: Nodule in the left upper lobe. Small effusion.\n"
        "IMPRESSION: Nodule."
    )
    assert cases[B]["report"] == "CLINICAL INFORMATION: Cough.\nFINDINGS: Ground glass opacity."
    description = read_json(folder / "dataset.json")
    assert description["labels"] == {"background": 0, "finding": [1, 2, 3]}
    assert description["regions_class_order"] == [1]
    facts = read_json(folder / "conversion.json")["cases"][A]
    assert facts["categories"] == {"0": "20", "1": "21", "2": "22"}
    assert facts["notes"] == ["no voxel of finding 2"]


def test_without_reports_the_findings_are_the_report(release: Release, tmp_path: Path) -> None:
    assert convert(*release.arguments(tmp_path, "--held-out", "val")) == 0
    folder = tmp_path / "Dataset511_ReXGroundingCT"
    report = read_json(folder / "reports.json")["cases"][A]["report"]
    assert report == "FINDINGS: Nodule in the left upper lobe. Consolidation around it. Small effusion."
    assert_label_at(folder / "labelsTs" / f"{C}.nii.gz", 1, release.ct(C), [800])
    assert list(read_json(folder / "imagesTs" / "reports.json")["cases"]) == [C]


def _three_entities(release: Release) -> None:
    """Finding 0 of A has three labelled entities, of which its mask holds two; so has the one of C."""
    release.description["train"][0]["entity_counts"]["0"] = 3
    release.description["val"][0]["entity_counts"]["0"] = 3


def _labels(folder: Path) -> Any:
    return read_json(folder / "dataset.json")["labels"]


def _exhaustive(sidecar: Path, case: str) -> list[bool | None]:
    return [finding.get("exhaustive") for finding in read_json(sidecar)["cases"][case]["findings"]]


def test_findings_that_reach_the_cap_of_the_training_split_are_marked(release: Release, tmp_path: Path) -> None:
    _three_entities(release)
    assert convert(*release.arguments(tmp_path, "--held-out", "val", "--unlabelled", "ignore")) == 0
    folder = tmp_path / "Dataset511_ReXGroundingCT"
    assert _labels(folder) == {"background": 0, "finding": [1, 2, 3], "ignore": 4}
    assert read_json(folder / "dataset.json")["regions_class_order"] == [1]
    assert _exhaustive(folder / "reports.json", A) == [False, None, None]
    assert _exhaustive(folder / "reports.json", B) == [None]
    assert _exhaustive(folder / "imagesTs" / "reports.json", C) == [None], "all instances of val are labelled"
    facts = read_json(folder / "conversion.json")["cases"][A]
    assert facts["notes"] == ["no voxel of finding 2", "not all instances may be labelled of finding 0"]
    assert facts["unlabelled"] == "ignore"


def test_the_mask_counts_where_it_has_more_instances_than_stated(release: Release, tmp_path: Path) -> None:
    release.description["train"][1].pop("entity_counts")
    masks = np.zeros((1, *SHAPE), np.uint8)
    masks[0, 0, 0, :3] = (2, 3, 4)
    release.write_masks(B, masks)
    assert convert(*release.arguments(tmp_path, "--unlabelled", "ignore")) == 0
    sidecar = tmp_path / "Dataset511_ReXGroundingCT" / "reports.json"
    assert (_exhaustive(sidecar, A), _exhaustive(sidecar, B)) == ([None] * 3, [False])


def test_unlabelled_instances_are_background_unless_asked_otherwise(release: Release, tmp_path: Path) -> None:
    _three_entities(release)
    assert convert(*release.arguments(tmp_path)) == 0
    folder = tmp_path / "Dataset511_ReXGroundingCT"
    assert _labels(folder) == {"background": 0, "finding": [1, 2, 3]}
    assert _exhaustive(folder / "reports.json", A) == [None] * 3
    assert "unlabelled" not in read_json(folder / "conversion.json")["cases"][A]


def test_a_conversion_that_goes_on_does_not_keep_cases_of_the_other_kind(release: Release, tmp_path: Path) -> None:
    _three_entities(release)
    file = release.folder / "segmentations" / f"{B}.nii.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert convert(*release.arguments(tmp_path)) == 2  # A is done, B cannot be read
    file.write_bytes(whole)
    assert convert(*release.arguments(tmp_path, "--unlabelled", "ignore")) == 0
    assert _exhaustive(tmp_path / "Dataset511_ReXGroundingCT" / "reports.json", A) == [False, None, None]


@pytest.mark.parametrize("counts", [[1, 1, 1], {"0": "three"}, {"0": True}])
def test_counts_of_entities_that_are_no_numbers(
    counts: object, release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release.description["train"][0]["entity_counts"] = counts
    arguments = release.arguments(tmp_path, "--unlabelled", "ignore")
    assert_refused(capsys, tmp_path, *arguments, named=(A, "entity_counts", "dataset.json"))
    assert convert(*release.arguments(tmp_path)) == 0  # not needed there


def test_the_volumes_may_lie_in_one_folder(release: Release, tmp_path: Path) -> None:
    for case in (A, B):
        release.ct(case).rename(release.folder / f"{case}.nii.gz")
    assert convert(*release.arguments(tmp_path)) == 0


def _shape(release: Release) -> None:
    release.write_masks(B, np.zeros((1, 7, 9, 4), np.uint8))


def _more_masks(release: Release) -> None:
    release.write_masks(B, np.zeros((2, *SHAPE), np.uint8))


def _index(release: Release) -> None:
    release.description["train"][0]["findings"].pop("1")


def _empty(release: Release) -> None:
    release.description["train"][1]["findings"]["0"] = " "


def _no_ct(release: Release) -> None:
    release.ct(B).unlink()


def _no_masks(release: Release) -> None:
    (release.folder / "segmentations" / f"{B}.nii.gz").unlink()


def _damaged(release: Release) -> None:
    file = release.folder / "segmentations" / f"{B}.nii.gz"
    file.write_bytes(file.read_bytes()[:-20])


def _nan(release: Release) -> None:
    release.write_masks(B, np.full((1, *SHAPE), np.nan, np.float32))


def _fraction(release: Release) -> None:
    release.write_masks(B, np.full((1, *SHAPE), 0.5, np.float32))


def _negative(release: Release) -> None:
    release.write_masks(B, np.full((1, *SHAPE), -1, np.int16))


def _coloured(release: Release) -> None:
    release.write_masks(B, np.zeros((1, *SHAPE), np.dtype([(name, np.uint8) for name in "RGB"])))


def _coloured_ct(release: Release) -> None:
    write_nifti(release.ct(B), np.zeros(SHAPE, np.dtype([(name, np.uint8) for name in "RGB"])))


def _surrogate(release: Release) -> None:
    release.description["train"][1]["findings"]["0"] = "A nodule \ud800."


def _cut_ct(release: Release) -> None:
    release.ct(B).write_bytes(release.ct(B).read_bytes()[:-8])


def _no_name(release: Release) -> None:
    release.description["train"][0].pop("name")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_shape, (B, "shapes differ", "(1, 7, 9, 4)")),
        (_more_masks, (B, "has 2 findings, the description 1")),
        (_index, (A, "finding 1 is missing")),
        (_empty, (B, "the text of finding 0 is empty")),
        (_no_ct, (B, "the CT volume is missing", "dataset/train_fixed/train_7/train_7_b")),
        (_no_masks, (B, "the segmentation is missing")),
        (_damaged, (B, "not a readable NIfTI file")),
        (_no_name, ("no name of a volume",)),
        (_nan, (B, "no whole numbers", "nan")),
        (_fraction, (B, "no whole numbers", "0.5")),
        (_negative, (B, "no whole numbers", "-1.0")),
        (_coloured, (B, "no single number per voxel")),
        (_coloured_ct, (B, "no volume with one number per voxel")),
        (_surrogate, (B, "the text of finding 0 holds U+D800")),
        (_cut_ct, (f"{B}.nii.gz", "not a readable NIfTI file")),
    ],
)
def test_what_does_not_fit_is_named(
    spoil: Callable[[Release], None],
    named: tuple[str, ...],
    release: Release,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(release)
    assert_refused(capsys, tmp_path, *release.arguments(tmp_path), named=named)


def test_a_split_that_is_not_there(release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = release.arguments(tmp_path, "--split", "test")
    assert_refused(capsys, tmp_path, *arguments, named=("no such split", "train, val"))
