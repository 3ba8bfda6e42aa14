"""Scores against values computed by hand, empty masks included."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import tifffile

from nnunet_reportseg.dataset_json import read_label_set
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.evaluation.segmentation import Evaluation, evaluate_folder
from tests.small_dataset import write_dataset_json, write_image

LABELS = {"background": 0, "organ": 1, "nodule": 2}


def _volume(*values: int) -> np.ndarray:
    volume = np.zeros((2, 3, 4), np.uint8)
    volume.flat[: len(values)] = values
    return volume


def _evaluate(
    tmp_path: Path, pairs: dict[str, tuple[np.ndarray, np.ndarray]], labels: dict | None = None
) -> Evaluation:
    for case, (reference, prediction) in pairs.items():
        write_image(tmp_path / "reference" / f"{case}.nii.gz", reference)
        write_image(tmp_path / "prediction" / f"{case}.nii.gz", prediction)
    label_set = read_label_set(write_dataset_json(tmp_path / "dataset", labels or LABELS))
    return evaluate_folder(tmp_path / "prediction", tmp_path / "reference", label_set)


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    return _evaluate(
        tmp_path,
        {
            "a": (_volume(1, 1, 1, 2, 2), _volume(1, 1, 2, 2, 0)),
            "b": (_volume(1, 0), _volume(0, 1)),
            "c": (_volume(0), _volume(2)),
        },
    )


def test_scores_equal_values_computed_by_hand(evaluation: Evaluation) -> None:
    rows = [(s.case, s.label, s.dice, s.n_ref, s.n_pred, s.n_overlap, s.status) for s in evaluation.scores]
    assert rows == [
        ("a", "organ", pytest.approx(2 * 2 / (3 + 2)), 3, 2, 2, "overlap"),
        ("a", "nodule", pytest.approx(2 * 1 / (2 + 2)), 2, 2, 1, "overlap"),
        ("b", "organ", 0.0, 1, 1, 0, "missed"),
        ("b", "nodule", 1.0, 0, 0, 0, "both_empty"),
        ("c", "organ", 1.0, 0, 0, 0, "both_empty"),
        ("c", "nodule", 0.0, 0, 1, 0, "false_positive"),
    ]


def test_summary_counts_empty_masks_and_has_a_mean_without_them(evaluation: Evaluation) -> None:
    organ, nodule = evaluation.summary["organ"], evaluation.summary["nodule"]
    assert organ.dice_mean == pytest.approx((0.8 + 0.0 + 1.0) / 3)
    assert organ.dice_mean_nonempty == pytest.approx(0.4)
    assert organ.counts == {"overlap": 1, "missed": 1, "false_positive": 0, "both_empty": 1}
    assert nodule.dice_mean == pytest.approx((0.5 + 1.0 + 0.0) / 3)
    assert nodule.dice_mean_nonempty == pytest.approx(0.5)
    assert nodule.counts == {"overlap": 1, "missed": 0, "false_positive": 1, "both_empty": 1}


def test_label_that_is_empty_everywhere_has_no_mean_of_nonempty_references(tmp_path: Path) -> None:
    summary = _evaluate(tmp_path, {"a": (_volume(1), _volume(1))}).summary["nodule"]
    assert (summary.dice_mean, summary.dice_mean_nonempty) == (1.0, None)


def test_region_joins_its_values(tmp_path: Path) -> None:
    pairs = {"a": (_volume(1, 2, 3, 0), _volume(1, 1, 0, 1))}
    (score,) = _evaluate(tmp_path, pairs, {"background": 0, "finding": [1, 2, 3]}).scores
    assert (score.label, score.n_ref, score.n_pred, score.n_overlap) == ("finding", 3, 3, 2)
    assert score.dice == pytest.approx(2 / 3)


def test_ignored_voxels_count_neither_way(tmp_path: Path) -> None:
    pairs = {"a": (_volume(1, 2, 2, 0), _volume(1, 1, 0, 0))}
    (score,) = _evaluate(tmp_path, pairs, {"background": 0, "organ": 1, "ignore": 2}).scores
    assert (score.n_ref, score.n_pred, score.dice) == (1, 1, 1.0)


def test_csv_and_json_hold_the_same_scores(evaluation: Evaluation, tmp_path: Path) -> None:
    evaluation.write_csv(tmp_path / "out" / "evaluation.csv")
    evaluation.write_json(tmp_path / "out" / "evaluation.json")
    with (tmp_path / "out" / "evaluation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    data = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert data["evaluation_version"] == 1
    assert [{key: str(value) for key, value in score.items()} for score in data["scores"]] == rows
    assert data["summary"]["nodule"]["counts"]["both_empty"] == 1


def test_missing_predictions_are_named(tmp_path: Path) -> None:
    for case in "abc":
        write_image(tmp_path / "reference" / f"{case}.nii.gz", _volume(1))
    write_image(tmp_path / "prediction" / "b.nii.gz", _volume(1))
    with pytest.raises(DatasetError, match=r"case 'a', file .*a\.nii\.gz: 2 of 3 .*no prediction: a, c\. Fix:"):
        _evaluate(tmp_path, {})


def test_missing_references_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    with pytest.raises(DatasetError, match=r"reference: no reference segmentations.*Fix:"):
        _evaluate(tmp_path, {})


def test_other_grid_is_an_error_that_names_the_case(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"case 'a', file .*differ in shape: \(2, 3, 4\) and \(2, 3, 5\)"):
        _evaluate(tmp_path, {"a": (np.zeros((2, 3, 5), np.uint8), _volume(1))})


OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda image: image.SetSpacing((1, 1, 2)), r"spacing: \(2\.0, 1\.0, 1\.0\) and \(1\.0, 1\.0, 1\.0\)"),
        (lambda image: image.SetOrigin((0, 0, -3)), r"origin: \(0\.0, 0\.0, -3\.0\) and \(0\.0, 0\.0, 0\.0\)"),
        (lambda image: image.SetDirection(OBLIQUE), "direction: "),
    ],
)
def test_other_place_in_the_patient_is_an_error_that_names_the_case(
    tmp_path: Path, change: Callable[[sitk.Image], None], named: str
) -> None:
    for case in "ab":
        write_image(tmp_path / "reference" / f"{case}.nii.gz", _volume(1))
        image = sitk.GetImageFromArray(_volume(1))
        if case == "b":
            change(image)
        (tmp_path / "prediction").mkdir(exist_ok=True)
        sitk.WriteImage(image, str(tmp_path / "prediction" / f"{case}.nii.gz"))
    with pytest.raises(DatasetError, match=rf"case 'b', file .*prediction.b\.nii\.gz: .*differ in {named}"):
        _evaluate(tmp_path, {})


def test_rounding_of_file_formats_is_not_another_grid(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(_volume(1))
    image.SetSpacing((0.7421875, 0.7421875, 1.3))
    image.SetOrigin((-187.3331, -201.0007, 1133.7))
    image.SetDirection(OBLIQUE)
    label_set = read_label_set(write_dataset_json(tmp_path / "dataset", LABELS))
    for folder, shift in (("reference", 0), ("prediction", 5e-5)):
        image.SetOrigin([part + shift for part in image.GetOrigin()])
        (tmp_path / folder).mkdir()
        sitk.WriteImage(image, str(tmp_path / folder / "a.nii.gz"))
    assert evaluate_folder(tmp_path / "prediction", tmp_path / "reference", label_set).scores


@pytest.mark.parametrize(
    ("value", "named"), [(0.5, "0.5"), (np.nan, "nan"), (np.inf, "inf"), (-1, "-1.0"), (1e9, "1000000000.0")]
)
@pytest.mark.parametrize("folder", ["prediction", "reference"])
def test_voxels_that_are_no_label_values_are_an_error(tmp_path: Path, folder: str, value: float, named: str) -> None:
    for name in ("prediction", "reference"):
        voxels = _volume(1).astype(np.float32)
        voxels[1, 1, 1] = value if name == folder else 0
        write_image(tmp_path / name / "a.nii.gz", voxels)
    # ITK reads NIfTI without NaN and infinity: it makes them 0.
    labels = replace(read_label_set(write_dataset_json(tmp_path / "dataset", LABELS)), reader="NibabelIO")
    with pytest.raises(DatasetError, match=rf"case 'a', file .*{folder}.*: 1 voxels .*found: {named}\)"):
        evaluate_folder(tmp_path / "prediction", tmp_path / "reference", labels)


def test_several_channels_are_an_error(tmp_path: Path) -> None:
    pairs = {"a": (_volume(1), np.zeros((2, 2, 3, 4), np.uint8))}
    with pytest.raises(DatasetError, match=r"case 'a', file .*prediction.*several channels \(found: 2\)"):
        _evaluate(tmp_path, pairs)


@pytest.mark.parametrize("beside", ["{", "{}", '{"spacing": null}', '{"spacing": [1, 1]}'])
def test_tiff_with_a_damaged_spacing_file_is_an_error(tmp_path: Path, beside: str) -> None:
    for folder in ("prediction", "reference"):
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "a.tif", _volume(1))
        (tmp_path / folder / "a.json").write_text(beside)
    labels = read_label_set(write_dataset_json(tmp_path, LABELS))
    labels = replace(labels, file_ending=".tif", reader="Tiff3DIO")
    with pytest.raises(DatasetError, match=r"case 'a', file .*prediction.a\.tif: the label file cannot be read.*Fix:"):
        evaluate_folder(tmp_path / "prediction", tmp_path / "reference", labels)


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are always UTF-8")
def test_a_name_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    # Handed to SimpleITK, it would end the process.
    for folder in ("prediction", "reference"):
        write_image(tmp_path / folder / "a.nii.gz", _volume(1))
        (tmp_path / folder / "a.nii.gz").rename(tmp_path / folder / "caf\udce9.nii.gz")
    with pytest.raises(DatasetError, match=r"case 'caf\\udce9'.*the path holds U\+DCE9.*Fix:"):
        _evaluate(tmp_path, {})


def test_values_of_another_dataset_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"case 'a', file .*reference.*does not declare \(found: \[3, 7\]\)"):
        _evaluate(tmp_path, {"a": (_volume(1, 3, 7), _volume(1))})


def test_prediction_without_reference_is_not_scored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_image(tmp_path / "prediction" / "extra.nii.gz", _volume(1))
    scores = _evaluate(tmp_path, {"a": (_volume(1), _volume(1))}).scores
    assert {score.case for score in scores} == {"a"}
    assert "extra" in caplog.text
