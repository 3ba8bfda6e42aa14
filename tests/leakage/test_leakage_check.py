"""Each planted leak is found, with the names of its cases, and nothing else; a clean dataset is clean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nnunet_reportseg.errors import DatasetError, SidecarError
from nnunet_reportseg.leakage.leakage_check import LeakageReport, check_leakage
from nnunet_reportseg.leakage.predictability import VOLUME
from nnunet_reportseg.leakage.suspicion import Suspicion
from tests.leakage.ball_dataset import Ball, balls, write_balls, write_splits

PATTERN = r"^(p\d+)"
LONG = (
    "There is a small nodule with smooth borders beside the fissure, and next to it a thin band that reaches the "
    "pleura; the rest of the lung is as it was before."
)
NORMAL = (
    "The heart is normal in size. The lungs are clear. No effusion is seen. No pneumothorax is seen. The liver is "
    "unremarkable. No enlarged lymph nodes are seen in the chest."
)


def _check(tmp_path: Path, cases: Mapping[str, Ball], **options: Any) -> LeakageReport:
    test = options.pop("test", None)
    return check_leakage(write_balls(tmp_path / "raw", cases, test), **{"patient_pattern": PATTERN, **options})


def _only(report: LeakageReport) -> Suspicion:
    (suspicion,) = report.suspicions
    return suspicion


def test_clean_dataset(tmp_path: Path) -> None:
    cases = balls()
    report = _check(tmp_path, cases)
    assert report.suspicions == ()
    assert (report.cases, report.test_cases, report.folds) == (25, 0, 5)
    assert report.patients.of_case == {case: case[:3] for case in cases}
    assert "seed 12345" in report.folds_from
    assert {agreement.findings for agreement in report.lengths} == {25}


def test_words_of_a_report_predict_the_side_and_that_is_no_leak(tmp_path: Path) -> None:
    scores = {score.target: score for score in _check(tmp_path, balls(40)).words}
    side = scores["left-right"].r2
    assert side.value > 0.9
    assert side.low <= side.value <= side.high
    assert (side.cases, side.images) == (40, 40)
    assert scores[VOLUME].r2.value < 0.5
    assert set(scores) == {VOLUME, "left-right"}  # all balls lie equally high and far back


def test_patient_in_training_and_validation(tmp_path: Path) -> None:
    cases = balls(9)
    cases["p03_again"] = replace(cases["p03_scan"], number=98)
    splits = write_splits(tmp_path / "pre", cases, validation={"p03_again", "p04_scan"})
    found = _only(_check(tmp_path, cases, preprocessed_folder=splits))
    assert (found.kind, found.cases) == ("shared patient", ("p03_again", "p03_scan"))
    assert found.message == "patient p03 is in training and in validation of fold 0"
    assert "splits_final.json" in found.fix


def test_patient_in_one_fold_is_no_leak(tmp_path: Path) -> None:
    cases = balls(9)
    cases["p03_again"] = replace(cases["p03_scan"], number=98)
    splits = write_splits(tmp_path / "pre", cases, validation={"p03_again", "p03_scan"})
    assert _check(tmp_path, cases, preprocessed_folder=splits).suspicions == ()


def test_patient_in_the_test_set(tmp_path: Path) -> None:
    cases = balls(9)
    test = {"p07_later": replace(cases["p07_scan"], number=99), "p77_scan": replace(cases["p08_scan"], number=97)}
    found = _only(_check(tmp_path, cases, test=test))
    assert (found.kind, found.cases) == ("shared patient", ("p07_scan", "imagesTs/p07_later"))
    assert found.message == "patient p07 is in training and in the test set"


def test_case_in_both_lists_of_a_fold(tmp_path: Path) -> None:
    cases = balls(9)
    splits = write_splits(tmp_path / "pre", cases, validation={"p04_scan"})
    file = splits / "splits_final.json"
    file.write_text(file.read_text().replace('"val": [', '"val": ["p05_scan", '))
    found = _only(_check(tmp_path, cases, preprocessed_folder=splits))
    assert (found.kind, found.cases) == ("shared case", ("p05_scan",))


def test_without_patients_the_rest_is_checked(tmp_path: Path) -> None:
    report = _check(tmp_path, balls(9), patient_pattern=None)
    assert report.patients.of_case == {}
    assert report.suspicions == ()


def test_report_that_occurs_again_whatever_its_case_and_white_space(tmp_path: Path) -> None:
    cases = balls(9)
    cases["p01_scan"] = replace(cases["p01_scan"], report=LONG)
    cases["p02_scan"] = replace(cases["p02_scan"], report=LONG.upper().replace(" ", "\n "))
    splits = write_splits(tmp_path / "pre", cases, validation={"p02_scan"})
    report = _check(tmp_path, cases, preprocessed_folder=splits)
    found = _only(report)
    assert (found.kind, found.cases) == ("shared report", ("p01_scan", "p02_scan"))
    assert "there is a small nodule" in found.message
    assert [group.cases for group in report.repeated.with_findings] == [("p01_scan", "p02_scan")]


def test_report_that_occurs_again_in_the_test_set(tmp_path: Path) -> None:
    cases = balls(9)
    found = _only(_check(tmp_path, cases, test={"p88_scan": cases["p06_scan"]}))
    assert (found.kind, found.cases) == ("shared report", ("p06_scan", "imagesTs/p88_scan"))


def test_short_reports_and_shared_findings_are_no_leak(tmp_path: Path) -> None:
    cases = balls(9)
    for case in ("p01_scan", "p02_scan"):
        cases[case] = replace(cases[case], report="A nodule in the lung.")
    cases["p03_scan"] = replace(cases["p03_scan"], size="9 mm", left=True)
    cases["p04_scan"] = replace(cases["p04_scan"], size="9 mm", left=True)
    splits = write_splits(tmp_path / "pre", cases, validation={"p02_scan", "p04_scan"})
    report = _check(tmp_path, cases, preprocessed_folder=splits)
    assert [s.kind for s in report.suspicions] == []
    assert [group.cases for group in report.repeated.short] == [("p01_scan", "p02_scan")]


def test_normal_reports_are_counted_apart(tmp_path: Path) -> None:
    cases = balls(9)
    folder = write_balls(tmp_path / "raw", cases)
    file = folder / "reports.json"
    text = file.read_text()
    for case in ("p01_scan", "p02_scan"):
        text = re.sub(rf'"{case}": {{.*?\]}}\]}}', f'"{case}": {{"report": "{NORMAL}"}}', text)
    file.write_text(text)
    splits = write_splits(tmp_path / "pre", cases, validation={"p02_scan"})
    report = check_leakage(folder, preprocessed_folder=splits)
    assert report.suspicions == ()
    assert [group.cases for group in report.repeated.without_findings] == [("p01_scan", "p02_scan")]


def test_lengths_that_were_taken_from_the_masks(tmp_path: Path) -> None:
    cases = balls()
    planted = [f"p{i:02d}_scan" for i in range(20)]
    for case in planted:
        cases[case] = replace(cases[case], size=f"{cases[case].axial_mm / 10:.1f} cm")
    report = _check(tmp_path, cases)
    found = _only(report)
    assert (found.kind, found.cases) == ("lengths", tuple(planted))
    assert found.message.startswith("20 of 25 stated lengths")
    assert "longest axial diameter, between centres" in found.message
    assert '"origin": "masks"' in found.fix


def test_earlier_lengths_are_not_compared(tmp_path: Path) -> None:
    cases = {case: replace(ball, size=f"previously {ball.axial_mm:.0f} mm") for case, ball in balls(9).items()}
    report = _check(tmp_path, cases)
    assert (report.suspicions, report.lengths) == ((), ())


def test_volumes_that_were_taken_from_the_masks(tmp_path: Path) -> None:
    cases = {case: replace(ball, size=f"{ball.volume_ml:.5f} ml") for case, ball in balls().items()}
    found = _only(_check(tmp_path, cases))
    assert (found.kind, found.cases) == ("volumes", tuple(sorted(cases)))
    assert "whole mask" in found.message


def test_words_that_tell_the_volume(tmp_path: Path) -> None:
    names = {1.5: "tiny", 3.0: "little", 4.5: "broad", 6.0: "giant"}
    cases = {
        case: replace(ball, radius=radius, size=names[radius])
        for (case, ball), radius in zip(balls(40).items(), list(names) * 10, strict=True)
    }
    report = _check(tmp_path, cases)
    found = _only(report)
    assert (found.kind, found.cases) == ("words", ())
    (volume,) = [score for score in report.words if score.target == VOLUME]
    assert volume.r2.value > 0.9
    assert volume.rank_correlation == pytest.approx(1, abs=0.1)


def test_too_few_cases_have_no_folds(tmp_path: Path) -> None:
    report = _check(tmp_path, balls(4))
    assert (report.folds, report.words) == (0, ())
    assert "no folds" in report.folds_from


def test_progress_reaches_the_last_case(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    _check(tmp_path, balls(5), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(i, 5) for i in range(1, 6)]


def test_splits_of_other_cases_are_refused_by_name(tmp_path: Path) -> None:
    cases = balls(5)
    splits = write_splits(tmp_path / "pre", cases, validation={"p99_scan"})
    with pytest.raises(DatasetError, match=r"case 'p99_scan', file .*splits_final\.json.*Fix: "):
        _check(tmp_path, cases, preprocessed_folder=splits)


def test_case_without_entry(tmp_path: Path) -> None:
    folder = write_balls(tmp_path, balls(5))
    text = (folder / "reports.json").read_text().replace('"p04_scan"', '"p05_scan"')
    (folder / "reports.json").write_text(text)
    with pytest.raises(SidecarError, match="p04_scan"):
        check_leakage(folder)
    assert check_leakage(folder, missing_report="null").cases == 5
