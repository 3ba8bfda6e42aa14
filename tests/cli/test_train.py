"""``reportseg train`` hands every option of nnUNetv2_train on as it was written."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch

from nnunet_reportseg.cli.main import main
from nnunet_reportseg.trainer_folder import trainer_dir
from tests.spy_trainer import set_environment
from tests.spy_workspace import DATASET


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["-p", "nnUNetResEncUNetMPlans"],
        ["-device", "cpu"],
        ["-pretrained_weights", "weights.pth"],
        ["-num_gpus", "2"],
        ["--c", "--npz", "--val_best"],
        ["--npz", "--val"],
        ["--disable_checkpointing"],
        ["-device", "cpu", "--c", "-p", "Plans"],
    ],
)
def test_hands_options_on(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results", "nnUNet_extTrainer", "REPORTSEG_ENCODER"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["reportseg"])
    monkeypatch.setattr("nnunet_reportseg.cli.train._require_devices", lambda *_: None)
    monkeypatch.setattr("nnunet_reportseg.cli.train._require_arguments", lambda *_: Path("Dataset501_A"))
    monkeypatch.setattr("nnunet_reportseg.cli.train._require_finished", lambda *_: None)
    monkeypatch.setattr("nnunet_reportseg.cli.train._require_weights", lambda *_: None)
    seen: list[list[str]] = []
    monkeypatch.setattr("nnunetv2.run.run_training.run_training_entry", lambda: seen.append(list(sys.argv)))
    with pytest.raises(SystemExit) as caught:
        main(["train", "501", "3d_fullres", "0", *options])
    assert caught.value.code == 0
    assert len(seen) == 1
    assert seen[0][:4] == ["nnUNetv2_train", "Dataset501_A", "3d_fullres", "0"]
    handed_on = " ".join(seen[0])
    assert "-tr ReportGuidedTrainer" in handed_on
    for option in " ".join(options).replace(" -", "\n-").splitlines():
        assert f"{option} " in f"{handed_on} "
    assert str(trainer_dir()) in os.environ["nnUNet_extTrainer"].split(os.pathsep)


@pytest.fixture
def workspace(spy_root, tmp_path, monkeypatch):
    shutil.copytree(spy_root / "raw", tmp_path / "raw", ignore=shutil.ignore_patterns("images*"))
    shutil.copytree(spy_root / "preprocessed", tmp_path / "preprocessed")
    (tmp_path / "results").mkdir()
    set_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(sys, "argv", ["reportseg"])
    return tmp_path


def refused(workspace, capsys, *arguments):
    """The message of a training that ends with 2 and leaves no results folder."""
    with pytest.raises(SystemExit) as caught:
        main(["train", *arguments])
    assert caught.value.code == 2
    assert list((workspace / "results").iterdir()) == []
    return capsys.readouterr().err


def edit(file, change):
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


TRAINING = (DATASET, "3d_fullres", "0", "-device", "cpu")


def without_sidecar(workspace):
    (workspace / "raw" / DATASET / "reports.json").unlink()


def of_sidecar(change):
    return lambda workspace: edit(
        workspace / "raw" / DATASET / "reports.json", lambda sidecar: change(sidecar["cases"])
    )


def finding_value(value):
    return of_sidecar(lambda cases: cases["case_002"]["findings"][0].update(label_values=[value]))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (without_sidecar, ["reports.json"]),
        (of_sidecar(lambda cases: cases.pop("case_003")), ["case 'case_003'", "reports.json"]),
        (of_sidecar(lambda cases: cases.update(case_77={"report": "Clear."})), ["case 'case_77'", "no image"]),
        (finding_value(9), ["case 'case_002'", "reports.json", "found: 9", "dataset.json"]),
    ],
)
def test_bad_reports_stop_before_anything_is_written(damage, named, workspace, capsys):
    damage(workspace)
    message = refused(workspace, capsys, *TRAINING)
    for part in (*named, "Fix: " if len(named) > 1 else ""):
        assert part in message


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("777", "3d_lowres", "0", "-device", "cpu"), ["3d_lowres", "3d_fullres, 2d", "nnUNetPlans.json"]),
        ((*TRAINING, "-p", "OtherPlans"), ["OtherPlans", "there is nnUNetPlans"]),
        ((*TRAINING, "-tr", "ReportGuidedTrainer_7epochs"), ["7epochs", "ReportGuidedTrainer_1epoch", "nnUNetTrainer"]),
        ((*TRAINING, "-tr", "np"), ["no such trainer"]),
        (("777", "3d_fullres", "5", "-device", "cpu"), ["'5'", "0 to 1, and all", "splits_final.json"]),
        (("777", "3d_fullres", "first", "-device", "cpu"), ["'first'", "0 to 1, and all"]),
        (("777", "3d_fullres", "0", "-device", "gpu"), ["'gpu'", "cpu"]),
        (("777", "3d_fullres", "0", "-device", "cpu", "-num_gpus", "2"), ["-num_gpus 2"]),
        (("777", "3d_fullres", "0", "-device", "cpu", "-num_gpus", "0"), ["num_gpus"]),
        (("778", "3d_fullres", "0", "-device", "cpu"), ["778", DATASET]),
        ((*TRAINING, "--c", "--val"), ["--c and --val"]),
        ((*TRAINING, "--c", "-pretrained_weights", "w.pth"), ["--c and -pretrained_weights"]),
        ((*TRAINING, "-pretrained_weights", "w.pth"), ["w.pth", "no such checkpoint"]),
        ((*TRAINING, "--val"), ["results", "no such dataset"]),
    ],
)
def test_arguments_that_nnunet_fails_on_are_refused_with_what_there_is(arguments, named, workspace, capsys):
    message = refused(workspace, capsys, *arguments)
    for part in named:
        assert part in message


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_refused(workspace, capsys):
    assert "this machine has cpu" in refused(workspace, capsys, DATASET, "3d_fullres", "0")


def test_without_splits_file_there_are_five_folds(workspace, capsys):
    (workspace / "preprocessed" / DATASET / "splits_final.json").unlink()
    assert "0 to 4, and all" in refused(workspace, capsys, DATASET, "3d_fullres", "5", "-device", "cpu")


@pytest.mark.parametrize(
    ("file", "change", "named"),
    [
        ("nnUNetPlans.json", lambda plans: plans.pop("configurations"), ["no such configuration"]),
        ("nnUNetPlans.json", lambda plans: plans.update(dataset_name="Dataset001_Other"), ["Dataset001_Other"]),
        ("nnUNetPlans.json", lambda plans: plans["configurations"]["3d_fullres"].update(inherits_from="4d"), ["4d"]),
        (
            "nnUNetPlans.json",
            lambda plans: plans["configurations"]["3d_fullres"].update(data_identifier="elsewhere"),
            ["not preprocessed", "elsewhere", "spyPlans_3d_fullres"],
        ),
        (
            "nnUNetPlans.json",
            lambda plans: plans.update(report_conditioning={"adapter": {"heads": 0}}),
            ["adapter.heads"],
        ),
        ("dataset.json", lambda dataset: dataset.pop("labels"), ["labels", "dataset.json"]),
        ("splits_final.json", lambda splits: splits[0]["val"].append("case_77"), ["case 'case_77'", "splits_final"]),
        ("splits_final.json", lambda splits: splits[0].update(train=[]), ["no training cases"]),
        ("splits_final.json", lambda splits: splits[0].pop("val"), ["list of splits"]),
    ],
)
def test_a_preprocessed_dataset_that_does_not_fit_is_refused(file, change, named, workspace, capsys):
    edit(workspace / "preprocessed" / DATASET / file, change)
    message = refused(workspace, capsys, *TRAINING)
    for part in named:
        assert part in message


@pytest.mark.parametrize("file", ["nnUNetPlans.json", "dataset.json", "splits_final.json"])
def test_a_file_that_is_no_json_is_named(file, workspace, capsys):
    (workspace / "preprocessed" / DATASET / file).write_text("{")
    message = refused(workspace, capsys, *TRAINING)
    assert file in message
    assert "not JSON" in message


@pytest.mark.parametrize("file", ["case_002.pkl", "case_002_seg.b2nd"])
def test_a_damaged_preprocessed_case_is_named(file, workspace, capsys):
    damaged = workspace / "preprocessed" / DATASET / "spyPlans_3d_fullres" / file
    damaged.write_bytes(damaged.read_bytes()[:20])
    assert "case 'case_002'" in refused(workspace, capsys, *TRAINING)


def test_a_stray_file_in_the_preprocessed_folder_is_named(workspace, capsys):
    (workspace / "preprocessed" / DATASET / "spyPlans_3d_fullres" / ".DS_Store").touch()
    assert ".DS_Store" in refused(workspace, capsys, *TRAINING)


def test_fewer_cases_than_folds_are_refused(workspace, capsys):
    preprocessed = workspace / "preprocessed" / DATASET
    (preprocessed / "splits_final.json").unlink()
    for number in (0, 1, 2):
        for file in preprocessed.glob(f"*/case_00{number}*"):
            file.unlink()
    assert "3 cases cannot be split into 5 folds" in refused(workspace, capsys, *TRAINING)
