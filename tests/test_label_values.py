"""Label values of findings against preprocessed and original labels."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from nnunet_reportseg.errors import DatasetError, SidecarError
from nnunet_reportseg.label_values import require_label_values
from nnunet_reportseg.sidecar import Sidecar
from tests.small_dataset import write_dataset_json, write_image


@pytest.fixture
def preprocessed(tmp_path):
    """Original labels: case a has the value 1, case b has 1 and 2."""
    write_dataset_json(tmp_path, {"background": 0, "finding": [1, 2]})
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[1, 1, 1] = 1
    write_image(tmp_path / "gt_segmentations" / "a.nii.gz", labels)
    labels[2, 2, 2] = 2
    write_image(tmp_path / "gt_segmentations" / "b.nii.gz", labels)
    return tmp_path


def check(preprocessed, values, seen):
    """Findings of each case with these values; ``seen`` are the values that preprocessing left."""
    findings = {
        case: [{"id": f"f{v}", "text": f"Nodule {v}.", "label_values": [v]} for v in found]
        for case, found in values.items()
    }
    sidecar = Sidecar.from_cases({c: {"report": "Nodules.", "findings": f} for c, f in findings.items()})
    require_label_values(sidecar, list(values), lambda case: np.array([[0, -1, *seen[case]]], np.int8), preprocessed)


def test_values_that_occur_need_no_original_label_file(preprocessed, monkeypatch):
    monkeypatch.setattr("nnunet_reportseg.label_values.read_label_map", lambda *_, **__: pytest.fail("read"))
    check(preprocessed, {"a": [1], "b": [1, 2]}, {"a": [1], "b": [1, 2]})
    check(preprocessed, {"a": [], "b": []}, {"a": [], "b": []})


def test_a_value_that_occurs_nowhere_names_case_file_value_and_fix(preprocessed):
    with pytest.raises(SidecarError) as caught:
        check(preprocessed, {"a": [1, 2], "b": [1]}, {"a": [1], "b": [1]})
    for part in ("case 'a'", "reports.json", "a.nii.gz", "found: 2", "finding 'f2'", "it has 0, 1", "Fix: correct"):
        assert part in str(caught.value)
    assert "case 'b'" not in str(caught.value)


def test_a_value_that_resampling_lost_is_a_warning_with_the_case(preprocessed, caplog):
    with caplog.at_level(logging.WARNING):
        check(preprocessed, {"a": [1], "b": [1, 2]}, {"a": [1], "b": [1]})
    assert [record.args[:2] for record in caplog.records] == [("b", 2)]


def test_a_value_that_is_not_declared_is_refused_even_where_it_occurs(preprocessed):
    with pytest.raises(SidecarError, match=r"case 'b'.*dataset\.json does not declare.*found: 7"):
        check(preprocessed, {"a": [1], "b": [7]}, {"a": [1], "b": [7]})


def test_all_cases_with_wrong_values_are_named(preprocessed):
    with pytest.raises(SidecarError, match=r"(?s)case 'a'.*found: 2.*case 'b'.*found: 9"):
        check(preprocessed, {"a": [2], "b": [9]}, {"a": [1], "b": [1]})


def test_a_missing_original_label_file_is_named(preprocessed):
    (preprocessed / "gt_segmentations" / "b.nii.gz").unlink()
    with pytest.raises(DatasetError, match=r"b\.nii\.gz"):
        check(preprocessed, {"a": [1], "b": [2]}, {"a": [1], "b": [1]})
