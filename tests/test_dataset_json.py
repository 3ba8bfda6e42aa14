"""What nnU-Net would break off with an assertion or a traceback is named: labels, regions, the list of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nnunet_reportseg.dataset_check import check_dataset
from nnunet_reportseg.dataset_json import read_label_set
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.raw_dataset import RawDataset
from tests.small_dataset import write_dataset_json, write_raw_dataset


def _with(folder: Path, **changes: Any) -> Path:
    file = folder / "dataset.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return file


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ({"nodule": -1}, "label 'nodule'.*found: -1"),
        ({"nodule": 1.0}, "label 'nodule'.*found: 1.0"),
        ({"nodule": True}, "label 'nodule'.*found: True"),
        ({"nodule": "1"}, "label 'nodule'.*found: '1'"),
        ({"nodule": []}, r"label 'nodule'.*found: \[\]"),
        ({"nodule": [1, None]}, r"label 'nodule'.*found: \[1, None\]"),
        ({"nodule": {"value": 1}}, "label 'nodule'.*found: {'value': 1}"),
        ({"nodule": 10**6}, "label 'nodule'.*found: 1000000"),
        ({"nodule": 1, "ignore": [2]}, r"'ignore'.*found: \[2\]"),
        ({"nodule": 1, "ignore": "2"}, "'ignore'.*found: '2'"),
        ({"nodule": 1, "ignore": 2.0}, "'ignore'.*found: 2.0"),
        ({"nodule": 1, "ignore": 1}, "'ignore'.*found: 1.*write \"ignore\": 2"),
        ({"nodule": 1, "ignore": 7}, "'ignore'.*found: 7.*write \"ignore\": 2"),
        ({}, "no label besides the background"),
        ({"nodule": 0, "ignore": 1}, "no label besides the background"),
        ({"background": 1, "nodule": 2}, "'background' must be there and be 0"),
        ({"background": [0], "nodule": 2}, "'background' must be there and be 0"),
    ],
)
def test_labels_that_nnunet_would_refuse(tmp_path: Path, labels: dict[str, Any], named: str) -> None:
    file = _with(write_dataset_json(tmp_path, {}).parent, labels={"background": 0, **labels})
    with pytest.raises(DatasetError, match=rf"dataset\.json: (?=.*Fix:).*{named}"):
        read_label_set(file)


def test_labels_without_background(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'background' must be there"):
        read_label_set(write_dataset_json(tmp_path, {"nodule": 1}))


@pytest.mark.parametrize("order", [None, 1, [], [1, 2], ["1"], [True], [[1]]])
def test_regions_need_their_order(tmp_path: Path, order: object) -> None:
    file = _with(write_dataset_json(tmp_path, {"background": 0, "nodule": [1, 2]}).parent, regions_class_order=order)
    with pytest.raises(DatasetError, match=r"dataset\.json: .*regions_class_order.*Fix: add it with 1 numbers"):
        read_label_set(file)


def test_labels_that_nnunet_takes(tmp_path: Path) -> None:
    labels = {"background": 0, "outer": [1, 2], "inner": 2, "ignore": 3}
    file = _with(write_dataset_json(tmp_path, labels).parent, regions_class_order=[1, 2])
    found = read_label_set(file)
    assert (found.regions, found.ignore_label) == ({"outer": (1, 2), "inner": (2,)}, 3)
    assert (
        read_label_set(write_dataset_json(tmp_path, {"background": 0, "a": [1], "ignore": None})).ignore_label is None
    )


@pytest.mark.parametrize("reader", [["SimpleITKIO"], 5])
def test_a_reader_that_is_no_name(tmp_path: Path, reader: object) -> None:
    file = _with(write_dataset_json(tmp_path, {"background": 0, "a": 1}).parent, overwrite_image_reader_writer=reader)
    with pytest.raises(DatasetError, match="'overwrite_image_reader_writer' is missing or of the wrong kind"):
        read_label_set(file)


@pytest.mark.parametrize(
    "cases",
    [
        {"a": {"images": "imagesTr/a_0000.nii.gz", "label": "labelsTr/a.nii.gz"}},
        {"a": {"images": [], "label": "labelsTr/a.nii.gz"}},
        {"a": {"images": [1], "label": "labelsTr/a.nii.gz"}},
        {"a": {"images": ["imagesTr/a_0000.nii.gz"]}},
        {"a": {"label": "labelsTr/a.nii.gz"}},
        {"a": "imagesTr/a_0000.nii.gz"},
    ],
)
def test_a_list_of_cases_that_names_no_files(tmp_path: Path, cases: dict[str, Any]) -> None:
    folder = write_raw_dataset(tmp_path)
    _with(folder, dataset=cases)
    with pytest.raises(DatasetError, match=r"case 'a', file .*dataset\.json: .*does not name its files.*Fix: write"):
        _ = RawDataset(folder).cases


@pytest.mark.parametrize("cases", [None, [], "imagesTr"])
def test_a_list_of_cases_that_is_no_mapping(tmp_path: Path, cases: object) -> None:
    folder = write_raw_dataset(tmp_path)
    _with(folder, dataset=cases)
    with pytest.raises(DatasetError, match=r"dataset\.json: 'dataset' is missing or of the wrong kind"):
        _ = RawDataset(folder).cases


def test_files_of_listed_cases_that_do_not_exist_are_problems_of_their_cases(tmp_path: Path) -> None:
    folder = write_raw_dataset(tmp_path)
    files = {
        case: {"images": [f"imagesTr/{case}_0000.nii.gz"], "label": f"labelsTr/{case}.nii.gz"}
        for case in ("case_001", "case_002")
    }
    _with(folder, dataset=files)
    assert check_dataset(folder) == []
    files["case_001"]["images"].append("imagesTr/case_001_0001.nii.gz")
    files["case_002"] = {"images": ["elsewhere/x_0000.nii.gz"], "label": "elsewhere/x.nii.gz"}
    _with(folder, dataset=files)
    problems = check_dataset(folder)
    assert [(problem.case, problem.file.name, problem.severity) for problem in problems] == [
        ("case_001", "case_001_0001.nii.gz", "error"),
        ("case_002", "x_0000.nii.gz", "error"),
        ("case_002", "x.nii.gz", "error"),
    ]
