"""``reportseg convert abdomenatlas3``: masks become labels, overlaps included, and the reports' origin is stated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.convert.commands import assert_refused, convert
from tests.convert.phantom import (
    AFFINE,
    assert_label_at,
    assert_same_places,
    ct_voxels,
    mask_voxels,
    read_json,
    write_nifti,
)

A, B = "BDMAP_00000001", "BDMAP_00000002"
MASKS = {
    A: {"liver_lesion": {(1, 2, 1): 1, (5, 2, 1): 1}, "kidney_lesion": {(5, 2, 1): 1}, "liver": {(1, 7, 3): 1}},
    B: {"kidney_lesion": {(1, 7, 3): 1}, "liver_lesion": {}},
}
HEADER = "BDMAP ID,spacing,structured report,narrative report\n"
ROW_A = f'{A},1,"Liver lesion 1: 12 mm.","There is a 12 mm liver lesion."\n'
ROW_B = f"{B},1,Kidney lesion 1: 9 mm.,A kidney lesion of 9 mm.\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for case, masks in MASKS.items():
        write_nifti(folder / case / "ct.nii.gz", ct_voxels())
        for name, voxels in masks.items():
            write_nifti(folder / case / "segmentations" / f"{name}.nii.gz", mask_voxels(voxels))
    (folder / "reports.csv").write_text(HEADER + ROW_A + ROW_B, encoding="utf-8")
    return folder


def arguments(source: Path, raw: Path, *more: object) -> tuple[object, ...]:
    return ("abdomenatlas3", "-i", source, "-r", source / "reports.csv", "-o", raw, "-d", 13, *more)


def test_labels_and_a_warning(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert convert(*arguments(source, tmp_path)) == 0
    assert "2 reports were written from the masks, so they can give the masks away" in capsys.readouterr().out
    folder = tmp_path / "Dataset013_AbdomenAtlas3"
    assert read_json(folder / "reports.json")["cases"] == {
        A: {"report": "There is a 12 mm liver lesion.", "origin": "masks"},
        B: {"report": "A kidney lesion of 9 mm.", "origin": "masks"},
    }
    description = read_json(folder / "dataset.json")
    assert description["labels"] == {
        "background": 0,
        "liver_lesion": [1, 3, 5, 7],
        "kidney_lesion": [2, 3, 6, 7],
        "pancreatic_lesion": [4, 5, 6, 7],
    }
    assert description["regions_class_order"] == [1, 2, 4]
    for case, value, mark in ((A, 1, 700), (A, 3, 800), (B, 2, 900)):
        ct = source / case / "ct.nii.gz"
        assert_same_places(folder / "imagesTr" / f"{case}_0000.nii.gz", ct)
        assert_label_at(folder / "labelsTr" / f"{case}.nii.gz", value, ct, [mark])
    assert read_json(folder / "conversion.json")["cases"][A]["notes"] == ["no file pancreatic_lesion.nii.gz"]


def test_other_masks_and_the_other_report(source: Path, tmp_path: Path) -> None:
    assert convert(*arguments(source, tmp_path, "--kind", "structured", "--mask", "liver_lesion")) == 0
    folder = tmp_path / "Dataset013_AbdomenAtlas3"
    assert read_json(folder / "dataset.json")["labels"] == {"background": 0, "liver_lesion": 1}
    assert read_json(folder / "reports.json")["cases"][A]["report"] == "Liver lesion 1: 12 mm."


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (HEADER + ROW_A, (f"case '{B}'", "the table has no report")),
        (HEADER + ROW_A + f"{B},1,x,\n", (f"case '{B}'", "empty")),
        (HEADER.replace("narrative", "free") + ROW_A + ROW_B, ("no column 'narrative report'",)),
    ],
)
def test_tables_that_cannot_be_used(
    table: str, named: tuple[str, ...], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "reports.csv").write_text(table, encoding="utf-8")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


@pytest.mark.parametrize(
    ("shape", "affine"), [((7, 9, 6), AFFINE), ((7, 9, 5), np.diag((-1, 1, 1, 1)) @ AFFINE)], ids=["shape", "affine"]
)
def test_a_mask_on_another_grid(
    shape: tuple[int, ...], affine: np.ndarray, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_nifti(source / B / "segmentations" / "kidney_lesion.nii.gz", np.ones(shape, np.uint8), affine)
    named = (f"case '{B}'", "differ in shape or affine")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


@pytest.mark.parametrize("value", [np.nan, -1, 0.5])
def test_a_mask_of_other_numbers(
    value: float, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    voxels = np.full((7, 9, 5), value, np.float32)
    write_nifti(source / B / "segmentations" / "kidney_lesion.nii.gz", voxels)
    named = (f"case '{B}'", "no whole numbers")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


def test_a_case_without_its_masks(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments_of_liver = arguments(source, tmp_path / "raw", "--mask", "liver")
    assert_refused(capsys, tmp_path / "raw", *arguments_of_liver, named=(f"case '{B}'", "none of the masks liver"))
