"""``predict_folder`` on the spy workspace: what it announces and what it refuses before it writes anything."""

from __future__ import annotations

import json
import logging
import shutil

import pytest

from nnunet_reportseg.inference.predict_folder import PredictionOptions, predict_folder
from tests.spy_workspace import DATASET, case_name

OPTIONS = PredictionOptions(
    folds=(0,), mirroring=False, device="cpu", preprocessing_processes=0, export_processes=0, step_size=1.0
)


@pytest.fixture
def images(spy_env, tmp_path):
    """Cases 0 to 2 with their reports."""
    source, folder = spy_env / "raw" / DATASET / "imagesTs", tmp_path / "in"
    folder.mkdir()
    for number in range(3):
        for file in source.glob(f"{case_name(number)}_*"):
            shutil.copy(file, folder)
    shutil.copy(source / "reports.json", folder)
    return folder


def edit_cases(folder, change):
    data = json.loads((folder / "reports.json").read_text())
    change(data["cases"])
    (folder / "reports.json").write_text(json.dumps(data))


def test_a_case_without_report_is_announced_once(images, spy_model, tmp_path, monkeypatch, caplog):
    edit_cases(images, lambda cases: (cases.pop(case_name(0)), cases.update({case_name(1): {"report": None}})))
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "null")
    with caplog.at_level(logging.WARNING):
        predict_folder(images, tmp_path / "out", model=spy_model, reports=None, options=OPTIONS)
    for number, times in enumerate((1, 1, 0)):
        assert sum(case_name(number) in message for message in caplog.messages) == times
    assert (tmp_path / "out" / f"{case_name(1)}.nii.gz").is_file()
