"""The check names every disagreement between sidecar, images and labels, all at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.dataset_check import Problem, check_dataset
from nnunet_reportseg.errors import DatasetError, SidecarError
from tests.small_dataset import REPORTS, SAGITTAL, write_dataset_json, write_image, write_raw_dataset


def _problems(tmp_path: Path, changes: Mapping[str, Any], **options: Any) -> list[Problem]:
    reports = {case: entry for case, entry in {**REPORTS, **changes}.items() if entry is not ...}
    return check_dataset(write_raw_dataset(tmp_path, reports), **options)


def _findings(*label_values: int, text: str = "A nodule in the left upper lobe.") -> dict[str, Any]:
    finding = {"id": "f", "text": text, "label_values": list(label_values)}
    return {"report": "A nodule in the left upper lobe.", "findings": [finding]}


def test_sound_dataset_has_no_problems(tmp_path: Path) -> None:
    assert _problems(tmp_path, {}) == []


def test_case_without_entry(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {"case_002": ...})
    assert (problem.case, problem.severity) == ("case_002", "error")
    assert problem.file.name == "reports.json"
    assert "no entry" in problem.message
    assert '"report": null' in problem.fix


def test_case_without_entry_is_a_warning_where_null_is_chosen(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {"case_002": ...}, missing_report="null")
    assert (problem.case, problem.severity) == ("case_002", "warning")


def test_a_dataset_without_any_report_is_a_warning(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {case: {"report": None} for case in REPORTS})
    assert (problem.case, problem.severity) == ("", "warning")
    assert "no case has a report" in problem.message


def test_unknown_case(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {"case_01": {"report": "x"}})
    assert (problem.case, problem.value, problem.severity) == ("case_01", "case_01", "error")
    assert "no image" in problem.message


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_an_image_that_ends_too_early_is_a_problem_of_its_case(tmp_path: Path, part: float) -> None:
    folder = write_raw_dataset(tmp_path)
    file = folder / "imagesTr" / "case_002_0000.nii.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole))])
    (problem,) = check_dataset(folder)
    assert (problem.case, problem.file, problem.severity) == ("case_002", file, "error")
    assert "the image cannot be read" in problem.message


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_label_file_that_ends_too_early_is_no_label_file_of_zeros(tmp_path: Path, part: float) -> None:
    folder = write_raw_dataset(tmp_path, {**REPORTS, "case_001": _findings(1)})
    file = folder / "labelsTr" / "case_001.nii.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole))])
    (problem,) = check_dataset(folder)
    assert (problem.case, problem.file, problem.severity) == ("case_001", file, "error")
    assert "cannot be read" in problem.message
    assert "damaged" in problem.fix


def test_a_finding_whose_text_training_would_refuse(tmp_path: Path) -> None:
    problems = _problems(tmp_path, {"case_001": _findings(1, text="<p>A nodule in the <b>left</b> upper lobe.</p>")})
    (error,) = (problem for problem in problems if problem.severity == "error")
    assert (error.case, error.file.name) == ("case_001", "reports.json")
    assert error.message.startswith("finding 'f': ")
    assert "HTML" in error.message


def test_label_value_outside_dataset_json(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {"case_001": _findings(1, 9)})
    assert (problem.case, problem.value, problem.file.name) == ("case_001", "9", "reports.json")
    assert "finding 'f'" in problem.message
    assert "dataset.json does not declare" in problem.message


def test_label_value_that_never_occurs_in_this_case(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {"case_001": _findings(1, 2)})
    assert (problem.case, problem.value, problem.file.name) == ("case_001", "2", "case_001.nii.gz")
    assert "never occurs" in problem.message
    assert "0, 1" in problem.message
    assert "correct label_values" in problem.fix


def test_missing_and_damaged_label_files(tmp_path: Path) -> None:
    folder = write_raw_dataset(tmp_path, {**REPORTS, "case_002": _findings(1)})
    (folder / "labelsTr" / "case_001.nii.gz").unlink()
    (folder / "labelsTr" / "case_002.nii.gz").write_bytes(b"no image")
    missing, damaged = check_dataset(folder)
    assert (missing.case, missing.message, missing.file.name) == (
        "case_001",
        "the label file is missing",
        "case_001.nii.gz",
    )
    assert damaged.case == "case_002"
    assert "cannot be read" in damaged.message


def test_unreadable_and_empty_reports(tmp_path: Path) -> None:
    folder = write_raw_dataset(tmp_path, {"case_001": {"report_file": "1.txt"}, "case_002": {"report_file": "2.txt"}})
    (folder / "2.txt").write_text("\n")
    unreadable, empty = check_dataset(folder)
    assert (unreadable.case, unreadable.file) == ("case_001", folder / "1.txt")
    assert "cannot be read" in unreadable.message
    assert (empty.case, empty.file) == ("case_002", folder / "2.txt")
    assert "empty" in empty.message


def test_finding_text_that_is_not_in_the_report_is_a_warning(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {"case_001": _findings(1, text="A mass.")})
    assert (problem.case, problem.value, problem.severity) == ("", "'f' of case_001", "warning")


def test_finding_texts_that_are_not_in_reports_are_one_warning_however_many_they_are(tmp_path: Path) -> None:
    finding = _findings(1)["findings"][0]
    others = [{**finding, "id": f"x{number}", "text": f"Mass {number}."} for number in range(30)]
    (problem,) = _problems(tmp_path, {"case_001": {**_findings(1), "findings": [finding, *others]}})
    assert "30 findings" in problem.message
    assert problem.value.startswith("'x0' of case_001, 'x1' of case_001, ")
    assert problem.value.endswith(" and 10 more")


def test_finding_text_may_differ_in_case_and_line_breaks(tmp_path: Path) -> None:
    assert _problems(tmp_path, {"case_001": _findings(1, text="a nodule in the\n left upper lobe.")}) == []


def _partly_labelled(*label_values: int) -> dict[str, Any]:
    finding = {"id": "f", "text": "Nodules.", "label_values": list(label_values), "exhaustive": False}
    return {"case_001": {"report": "Nodules.", "findings": [finding]}}


def test_unlabelled_instances_without_an_ignore_label_are_a_warning(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, _partly_labelled(1))
    assert (problem.case, problem.value, problem.severity) == ("", "'f' of case_001", "warning")
    assert "trained as background" in problem.message
    assert 'add "ignore": 3' in problem.fix


def test_unlabelled_instances_are_fine_with_an_ignore_label_or_where_nothing_is_labelled(tmp_path: Path) -> None:
    assert _problems(tmp_path / "nothing", _partly_labelled()) == []
    folder = write_raw_dataset(tmp_path, {**REPORTS, **_partly_labelled(1)})
    write_dataset_json(folder, {"background": 0, "finding": [1, 2], "ignore": 3})
    assert check_dataset(folder) == []


@pytest.mark.parametrize(("origin", "word"), [("template", "templates"), ("masks", "give the masks away")])
def test_text_that_nobody_wrote_about_the_image_is_a_warning(origin: str, word: str, tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, {"case_001": {"report": "A nodule.", "origin": origin}})
    assert (problem.case, problem.value, problem.severity) == ("", origin, "warning")
    assert "1 reports" in problem.message
    assert word in problem.message


def test_mixed_left_right_axes_name_the_odd_cases(tmp_path: Path) -> None:
    folder = write_raw_dataset(tmp_path)
    image = np.zeros((3, 4, 5), np.int16)
    write_image(folder / "imagesTr" / "case_003_0000.nii.gz", image, SAGITTAL)
    write_image(folder / "labelsTr" / "case_003.nii.gz", image.astype(np.uint8), SAGITTAL)
    problems = [problem for problem in check_dataset(folder) if problem.message.startswith("the left-right axis")]
    (problem,) = problems
    assert (problem.case, problem.file.name, problem.value) == ("case_003", "case_003_0000.nii.gz", "axis 0")
    assert "orientation" in problem.fix


def test_images_stored_from_the_other_side_are_a_warning(tmp_path: Path) -> None:
    folder = write_raw_dataset(tmp_path)
    image = sitk.ReadImage(str(folder / "imagesTr" / "case_001_0000.nii.gz"))
    sitk.WriteImage(image, str(folder / "imagesTr" / "case_003_0000.nii.gz"))
    flipped = sitk.Flip(image, (True, False, False))
    sitk.WriteImage(flipped, str(folder / "imagesTr" / "case_002_0000.nii.gz"))
    (problem,) = (problem for problem in check_dataset(folder) if "stored from" in problem.message)
    assert (problem.case, problem.value, problem.severity) == ("", "case_002", "warning")
    assert problem.message.startswith("1 of 3 images")


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are always UTF-8")
def test_image_name_that_no_sidecar_can_hold(tmp_path: Path) -> None:
    folder = write_raw_dataset(tmp_path)
    (folder / "imagesTr" / "case_001_0000.nii.gz").rename(folder / "imagesTr" / "caf\udce9_0000.nii.gz")
    with pytest.raises(DatasetError, match=r"imagesTr: the image name is not UTF-8 .*caf\\udce9_0000\.nii\.gz.*Fix:"):
        check_dataset(folder)


def test_damaged_image_is_a_problem_of_its_case(tmp_path: Path) -> None:
    folder = write_raw_dataset(tmp_path)
    (folder / "imagesTr" / "case_002_0000.nii.gz").write_bytes(b"no image")
    (problem,) = check_dataset(folder)
    assert (problem.case, problem.file.name) == ("case_002", "case_002_0000.nii.gz")


def test_all_problems_are_found_in_one_run(tmp_path: Path) -> None:
    problems = _problems(tmp_path, {"case_001": _findings(2, 9, text="A mass."), "case_002": ..., "x": {"report": "y"}})
    assert [problem.case for problem in problems] == ["", "case_001", "case_001", "case_002", "x"]


def test_progress_reaches_the_last_case(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    _problems(tmp_path, {}, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]


def test_sidecar_that_breaks_the_schema_is_raised(tmp_path: Path) -> None:
    with pytest.raises(SidecarError, match="case 'case_001'"):
        _problems(tmp_path, {"case_001": {}})


def test_folder_without_dataset_json_is_raised(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"dataset\.json: the file cannot be read.*Fix:"):
        check_dataset(tmp_path)
