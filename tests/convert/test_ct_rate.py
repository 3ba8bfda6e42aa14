"""``reportseg convert ctrate`` gives reports to a dataset that is there, and names what the tables lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.convert.commands import convert
from tests.convert.phantom import read_json
from tests.small_dataset import write_raw_dataset

HEADER = "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
ONE = "case_001.nii.gz,Not given.,Not given.,Clear lungs.,Normal.\n"
TWO = "case_002.nii.gz,Not given.,not given,Not given.,\n"


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    folder = write_raw_dataset(tmp_path)
    (folder / "reports.json").unlink()
    return folder


def table(tmp_path: Path, *rows: str, name: str = "reports.csv", header: str = HEADER) -> Path:
    file = tmp_path / name
    file.write_text(header + "".join(rows), encoding="utf-8")
    return file


def test_reports_of_several_tables(dataset: Path, tmp_path: Path) -> None:
    other = "case_009.nii.gz,a,b,c,d\n"
    tables = table(tmp_path, ONE, other), table(tmp_path, TWO, name="two.csv")
    assert convert("ctrate", "-d", 501, "-r", tables[0], "-r", tables[1]) == 0
    assert read_json(dataset / "reports.json")["cases"] == {
        "case_001": {"report": "FINDINGS: Clear lungs.\nIMPRESSION: Normal."},
        "case_002": {"report": None},
    }


def test_a_volume_without_a_row(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("ctrate", "-d", 501, "-r", table(tmp_path, ONE)) == 2
    assert "case 'case_002'" in capsys.readouterr().err
    assert not (dataset / "reports.json").exists()
    assert convert("ctrate", "-d", 501, "-r", table(tmp_path, ONE), "--missing-report", "null") == 0
    assert read_json(dataset / "reports.json")["cases"]["case_002"] == {"report": None}


@pytest.mark.parametrize(
    ("rows", "header", "named"),
    [
        ((ONE, ONE), HEADER, ("case 'case_001.nii.gz'", "two rows")),
        ((ONE,), HEADER.replace("Findings_EN", "Findings"), ("no column 'Findings_EN'",)),
    ],
)
def test_tables_that_cannot_be_used(
    rows: tuple[str, ...],
    header: str,
    named: tuple[str, ...],
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert convert("ctrate", "-d", 501, "-r", table(tmp_path, *rows, header=header)) == 2
    message = capsys.readouterr().err
    assert all(words in message for words in (*named, "reports.csv"))
    assert not (dataset / "reports.json").exists()


def test_reports_that_are_there_stay(dataset: Path, tmp_path: Path) -> None:
    (dataset / "reports.json").write_text("mine")
    assert convert("ctrate", "-d", 501, "-r", table(tmp_path, ONE, TWO)) == 2
    assert (dataset / "reports.json").read_text() == "mine"
