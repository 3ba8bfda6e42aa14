"""``reportseg check`` exits with 2 for every kind of bad input and names case, file, value and fix."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from nnunet_reportseg.cli.main import main
from tests.bad_sidecars import BAD_REPORT_FILES, BAD_SIDECARS, BadSidecar
from tests.small_dataset import REPORTS, write_raw_dataset, write_sidecar


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "40")  # paths and fixes stay whole
    return write_raw_dataset(tmp_path)


def _check(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["check", "-d", "501", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_sound_dataset(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _check() == 0
    assert capsys.readouterr().out == "Dataset501_Small: 0 errors, 0 warnings\n"


@pytest.mark.parametrize("bad", BAD_SIDECARS)
def test_bad_sidecar_exits_with_2(bad: BadSidecar, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad.write(dataset)
    assert _check() == 2
    bad.assert_named_in(capsys.readouterr().err)


@pytest.mark.parametrize("bad", BAD_REPORT_FILES)
def test_bad_text_file_exits_with_2(bad: BadSidecar, dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad.write(dataset)
    assert _check() == 2
    problems = capsys.readouterr().out
    for part in ("case_001", bad.value, bad.fix, str(dataset / bad.named_file)):
        assert part in problems


@pytest.mark.parametrize(
    ("cases", "named"),
    [
        pytest.param({"case_001": REPORTS["case_001"]}, ("case_002", "no entry", '"report": null'), id="no entry"),
        pytest.param({**REPORTS, "case_1": {"report": "x"}}, ("case_1", "no image", "correct the case"), id="unknown"),
        pytest.param(
            {**REPORTS, "case_002": REPORTS["case_001"]},
            ("case_002", "never occurs", "found: 1", "case_002.nii.gz", "correct label_values"),
            id="label value never occurs",
        ),
    ],
)
def test_problem_exits_with_2(
    cases: dict[str, object], named: tuple[str, ...], dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sidecar(dataset / "reports.json", cases)
    assert _check() == 2
    output = capsys.readouterr().out
    for part in (*named, "1 error,"):
        assert part in output


def test_warnings_alone_exit_with_0(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sidecar(dataset / "reports.json", {"case_001": REPORTS["case_001"]})
    assert _check("--missing-report", "null") == 0
    assert "0 errors, 1 warning\n" in capsys.readouterr().out


def test_a_terminal_that_lacks_a_character_gets_its_number(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"report": "Clear.", "findings": [{"id": "opacité", "text": "Opacity.", "label_values": [1]}]}
    write_sidecar(dataset / "reports.json", {**REPORTS, "case_001": entry})
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    assert _check() == 0
    assert b"opacit\\xe9" in written.getvalue()


def test_other_sidecar(dataset: Path, tmp_path: Path) -> None:
    assert _check("-r", str(write_sidecar(tmp_path / "other.json", REPORTS))) == 0
    assert _check("-r", str(tmp_path / "none.json")) == 2


def test_unknown_dataset_and_unset_folder_exit_with_2(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _check("-d", "777") == 2
    assert "Dataset501_Small" in capsys.readouterr().err
    monkeypatch.delenv("nnUNet_raw")
    assert _check() == 2
    assert "nnUNet_raw is not set" in capsys.readouterr().err
