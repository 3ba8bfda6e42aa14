"""``reportseg check --leakage`` exits with 0, 1 or 2, and names the cases and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nnunet_reportseg.cli.main import main
from tests.leakage.ball_dataset import NAME, balls, write_balls, write_splits


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("raw", "preprocessed"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path / "raw"


def _check(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["check", "-d", "502", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_clean_dataset_exits_with_0(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_balls(raw, balls(5))
    assert _check("--leakage") == 0
    output = capsys.readouterr().out
    assert "Patients: none is known" in output
    assert "--patient-pattern" in output
    unseen = "could not be looked for: shared patients, volumes of the masks, what words predict"
    assert output.endswith(f"{NAME}, leakage: nothing suspicious; {unseen}\n")


def test_suspicious_dataset_exits_with_1_and_takes_the_splits_of_nnunet(
    raw: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = balls(6)
    cases["p03_again"] = replace(cases["p03_scan"], number=98)
    write_balls(raw, cases)
    splits = write_splits(raw.parent / "preprocessed", cases, validation={"p03_again"})
    assert _check("--leakage", "--patient-pattern", r"^(p\d+)_") == 1
    output = capsys.readouterr().out
    for part in ("shared patient", "p03_again, p03_scan", str(splits / "splits_final.json"), "known for 7 of 7 cases"):
        assert part in output
    unseen = "could not be looked for: volumes of the masks, what words predict"
    assert output.endswith(f"{NAME}, leakage: suspicious: shared patient; {unseen}\n")


def test_errors_of_the_dataset_come_first_and_exit_with_2(raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_balls(raw, balls(5))
    (folder / "labelsTr" / "p01_scan.nii.gz").unlink()
    assert _check("--leakage") == 2
    assert "leakage" not in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [("--leakage", "--patient-pattern", "p"), ("--patient-pattern", "(p)")])
def test_bad_pattern_exits_with_2(arguments: tuple[str, ...], raw: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_balls(raw, balls(5))
    assert _check(*arguments) == 2
    assert "--patient-pattern" in capsys.readouterr().err
