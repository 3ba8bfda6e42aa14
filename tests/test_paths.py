"""Unset folders and unknown datasets are named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnunet_reportseg.errors import DatasetError, PathsError
from nnunet_reportseg.paths import dataset_folder_name, require_paths


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("Dataset501_Lung", "Dataset007_A", "Dataset502_B", "Dataset502_C", "notes"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_returns_the_folders_in_the_order_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nnUNet_raw", "nnUNet_preprocessed"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    found = require_paths("nnUNet_preprocessed", "nnUNet_raw")
    assert found == (tmp_path / "nnUNet_preprocessed", tmp_path / "nnUNet_raw")


def test_names_every_variable_that_is_unset_or_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("nnUNet_raw", raising=False)
    monkeypatch.setenv("nnUNet_preprocessed", str(tmp_path / "gone"))
    monkeypatch.setenv("nnUNet_results", "  ")
    with pytest.raises(PathsError) as caught:
        require_paths()
    lines = str(caught.value).splitlines()
    assert "nnUNet_raw is not set. Fix: export nnUNet_raw=" in lines[0]
    assert str(tmp_path / "gone") in lines[1]
    assert "Fix: correct the path, or make the folder: mkdir" in lines[1]
    assert "nnUNet_results is not set" in lines[2]


def test_a_file_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("nnUNet_raw", str(tmp_path / "file"))
    with pytest.raises(PathsError, match=r"nnUNet_raw names no folder .*Fix: export nnUNet_raw="):
        require_paths("nnUNet_raw")


@pytest.mark.parametrize("dataset", [501, "501", "Dataset501_Lung"])
def test_accepts_number_and_name(dataset: str | int, root: Path) -> None:
    assert dataset_folder_name(dataset, root) == "Dataset501_Lung"


def test_number_needs_no_leading_zeros(root: Path) -> None:
    assert dataset_folder_name(7, root) == "Dataset007_A"


@pytest.mark.parametrize("dataset", [503, "Lung", "Dataset501_lung", "-1", ""])
def test_unknown_dataset_lists_what_is_there(dataset: str | int, root: Path) -> None:
    with pytest.raises(DatasetError, match=r"Dataset007_A, Dataset501_Lung, Dataset502_B.*Fix: give a number"):
        dataset_folder_name(dataset, root)


def test_two_datasets_of_one_number_are_refused(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"Dataset502_B, Dataset502_C.*Fix: give the whole name"):
        dataset_folder_name(502, root)


def test_empty_root_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no DatasetXXX_Name folder"):
        dataset_folder_name(501, tmp_path)


@pytest.mark.parametrize(
    ("variable", "fix"),
    [
        ("nnUNet_raw", "Fix: give a number"),
        ("nnUNet_preprocessed", "Fix: run nnUNetv2_plan_and_preprocess first, or give a number"),
        ("nnUNet_results", "Fix: train first, or give a number"),
    ],
)
def test_names_the_step_that_is_missing(
    variable: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    with pytest.raises(DatasetError, match=fix):
        dataset_folder_name(501, tmp_path / variable)
