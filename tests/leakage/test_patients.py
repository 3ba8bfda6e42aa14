"""Patients from the names of cases: known forms, or a pattern of the user's."""

from __future__ import annotations

import pytest

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.leakage.patients import find_patients


@pytest.mark.parametrize(
    ("case", "patient"),
    [
        ("train_12_a_1", "train_12"),
        ("valid_3_b_2", "valid_3"),
        ("bus_0001-l", "bus_0001"),
        ("patient017_frame01", "patient017"),
        ("sub-0a3_ses-1_ct", "sub-0a3"),
        ("case_001", None),
        ("train_000", None),
        ("R01-001", None),
    ],
)
def test_known_forms(case: str, patient: str | None) -> None:
    assert find_patients([case]).of_case.get(case) == patient


def test_source_names_the_form() -> None:
    assert "CT-RATE" in find_patients(["train_12_a_1", "x"]).source
    assert find_patients(["x"]).source == "no name of a known form"


def test_first_group_of_a_pattern_is_the_patient() -> None:
    found = find_patients(["MGH-17-b", "MGH-18-a", "other"], r"-(\d+)-")
    assert found.of_case == {"MGH-17-b": "17", "MGH-18-a": "18"}


@pytest.mark.parametrize(
    ("pattern", "message"), [("(", "no regular expression"), ("p", "no group"), ("(z)", "none of")]
)
def test_bad_pattern(pattern: str, message: str) -> None:
    with pytest.raises(DatasetError, match=f"{message}.*Fix: give --patient-pattern"):
        find_patients(["p1", "p2"], pattern)
