"""``reportseg convert nsclc_radiogenomics`` on a table with the release's own column names."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.convert.commands import assert_refused, convert
from tests.convert.phantom import assert_label_at, assert_same_places, ct_voxels, mask_voxels, read_json, write_nifti

CHOICES = [f"Tumor Location (choice={lobe})" for lobe in ("RUL", "RML", "RLL", "LUL", "LLL", "L Lingula", "Unknown")]
COLUMNS = ["Case ID", "Patient affiliation", *CHOICES, "Histology ", "Pathological T stage", "Survival Status"]
ONE = ["R01-001", "VA", "Checked", *["Unchecked"] * 6, "Adenocarcinoma", "T1a", "Alive"]
HISTOLOGY = "Squamous cell carcinoma"
LOBES_OF_TWO = [*["Unchecked"] * 3, "Checked", "Unchecked", "Checked", "Unchecked"]
TWO = ["AMC-002", "Stanford", *LOBES_OF_TWO, HISTOLOGY, "Not Collected", "Dead"]
OTHER = ["R01-999", "VA", *["Unchecked"] * 6, "Checked", "", "", "Alive"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for case, mask in (("R01-001", {(1, 2, 1): 1}), ("AMC-002", {(5, 2, 1): 255})):
        write_nifti(folder / "images" / f"{case}.nii.gz", ct_voxels())
        write_nifti(folder / "labels" / f"{case}.nii.gz", mask_voxels(mask))
    write_table(folder, ONE, TWO, OTHER)
    return folder


def write_table(folder: Path, *rows: list[str], columns: list[str] = COLUMNS) -> None:
    with (folder / "data.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *rows])


def arguments(source: Path, raw: Path) -> tuple[object, ...]:
    return (
        "nsclc_radiogenomics", "-i", source / "images", "-l", source / "labels", "-r", source / "data.csv", "-o", raw,
        "-d", 12,
    )  # fmt: skip


def test_templated_reports_say_that_they_are(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert convert(*arguments(source, tmp_path)) == 0
    assert "2 reports are templates filled from a table" in capsys.readouterr().out
    folder = tmp_path / "Dataset012_NSCLCRadiogenomics"
    assert read_json(folder / "reports.json")["cases"] == {
        "R01-001": {
            "report": "FINDINGS: Tumor in the right upper lobe.\nIMPRESSION: Adenocarcinoma. T stage T1a.",
            "origin": "template",
        },
        "AMC-002": {
            "report": "FINDINGS: Tumor in the left upper lobe and the lingula of the left lung.\n"
            f"IMPRESSION: {HISTOLOGY}.",
            "origin": "template",
        },
    }
    description = read_json(folder / "dataset.json")
    assert "Templated reports" in description["description"]
    assert description["labels"] == {"background": 0, "finding": 1}
    for case, mark in (("R01-001", 700), ("AMC-002", 800)):
        ct = source / "images" / f"{case}.nii.gz"
        assert_same_places(folder / "imagesTr" / f"{case}_0000.nii.gz", ct)
        assert_label_at(folder / "labelsTr" / f"{case}.nii.gz", 1, ct, [mark])


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([ONE], ("case 'AMC-002'", "no row")),
        ([ONE, ["AMC-002", *OTHER[1:]]], ("case 'AMC-002'", "neither lobe nor histology")),
        ([ONE, [*TWO[:2], "yes", *TWO[3:]]], ("case 'AMC-002'", "neither Checked nor Unchecked", "'yes'")),
    ],
)
def test_rows_that_cannot_be_used(
    rows: list[list[str]], named: tuple[str, ...], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(source, *rows)
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


def test_a_column_that_is_missing(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    columns = ["Tumor site" if name == CHOICES[1] else name for name in COLUMNS]
    write_table(source, ONE, TWO, columns=columns)
    named = ("no column 'Tumor Location (choice=RML)'",)
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


def test_a_mask_without_an_image(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (source / "images" / "AMC-002.nii.gz").unlink()
    named = ("case 'AMC-002'", "no image")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)
