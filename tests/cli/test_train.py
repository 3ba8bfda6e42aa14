"""``reportseg train`` hands every option of nnUNetv2_train on as it was written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from nnunet_reportseg.cli.main import main
from nnunet_reportseg.trainer_folder import trainer_dir
from tests.small_dataset import write_dataset_json


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-p", "nnUNetResEncUNetMPlans"],
        ["-device", "cpu"],
        ["-pretrained_weights", "weights.pth"],
        ["-num_gpus", "2"],
        ["--c", "--npz", "--val", "--val_best", "--disable_checkpointing"],
        ["-device", "cpu", "--c", "-p", "Plans"],
    ],
)
def test_hands_options_on(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results", "nnUNet_extTrainer", "REPORTSEG_ENCODER"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["reportseg"])
    monkeypatch.setattr("nnunet_reportseg.cli.train.check_reports", lambda *_: None)
    seen: list[list[str]] = []
    monkeypatch.setattr("nnunetv2.run.run_training.run_training_entry", lambda: seen.append(list(sys.argv)))
    with pytest.raises(SystemExit) as caught:
        main(["train", "501", "3d_fullres", "0", *options])
    assert caught.value.code == 0
    assert seen == [["nnUNetv2_train", "501", "3d_fullres", "0", "-tr", "ReportGuidedTrainer", *options]]
    assert str(trainer_dir()) in os.environ["nnUNet_extTrainer"].split(os.pathsep)


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [(None, "reports.json"), ('{"reportseg_version": 1, "cases": {"a": {"report": "Clear."}}}', "case 'b'")],
)
def test_bad_reports_stop_before_anything_is_written(sidecar, message, tmp_path, monkeypatch, capsys):
    for name in ("raw", "preprocessed", "results"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
    monkeypatch.setenv("nnUNet_extTrainer", "")
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "error")
    folder = tmp_path / "preprocessed" / "Dataset501_A"
    write_dataset_json(folder, {"background": 0, "finding": 1})
    (folder / "gt_segmentations").mkdir()
    for case in ("a", "b"):
        (folder / "gt_segmentations" / f"{case}.nii.gz").touch()
    if sidecar is not None:
        (folder / "reports.json").write_text(sidecar)
    with pytest.raises(SystemExit) as caught:
        main(["train", "501", "3d_fullres", "0"])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert list((tmp_path / "results").iterdir()) == []
