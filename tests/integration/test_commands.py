"""The commands of the README, from dataset to masks: on the phantom, and on real CT where test data is present."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.data.implants import write_implants
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.demo.job import Job, add_configuration
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from nnunet_reportseg.trainer_folder import trainer_dir
from tests.real_data import CHEST_CT, NODULES, needs

REPOSITORY = Path(__file__).parents[2]
RECIPE = {"recipe": {"backbone_optimizer": "adamw", "adapter_lr": 0.003}}
# A user's own trainer, in a folder of their own: long enough for masks in real CT, in epochs of which each has a lower
# learning rate (at the rate of the first, masks come and go between iterations), with patches that are all chosen for
# findings.
OWN_TRAINER = """
from nnunet_reportseg.training.schedules import ReportGuidedTrainer_10epochs


class ReportGuidedTrainer_MyLesions(ReportGuidedTrainer_10epochs):
    def __init__(self, plans, configuration, fold, dataset_json, device):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_iterations_per_epoch = 100
        self.num_val_iterations_per_epoch = 4
        self.oversample_foreground_percent = 1.0
"""
TRAINER = "ReportGuidedTrainer_MyLesions"

pytestmark = pytest.mark.slow


def _phantom(raw):
    return write_phantom(raw, dataset_id=611, num_training=12, num_test_volumes=2, seed=5)


def _implants(raw):
    return write_implants(
        raw,
        volumes=[CHEST_CT],
        nodules=NODULES,
        dataset_id=612,
        num_training=10,
        num_test_volumes=2,
        spacing_mm=(8.0, 4.0, 4.0),
        min_voxels=12,
        seed=1,
    )


def _run(work, *command, expect=0):
    environment = os.environ | {
        "nnUNet_raw": str(work / "raw"),
        "nnUNet_preprocessed": str(work / "preprocessed"),
        "nnUNet_results": str(work / "results"),
        "nnUNet_extTrainer": os.pathsep.join([str(trainer_dir()), str(work / "my_trainers")]),
        "nnUNet_n_proc_DA": "2",
        "nnUNet_def_n_proc": "1",
        "PYTHONPATH": str(REPOSITORY),
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "200",
    }
    if command[0] == "reportseg":
        command = (sys.executable, "-m", "nnunet_reportseg.cli.main", *command[1:])
    else:
        command = (str(Path(sys.executable).parent / command[0]), *command[1:])
    done = subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, check=False
    )
    assert done.returncode == expect, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((_phantom, (16, 24, 24)), id="phantom"),
        pytest.param(
            (_implants, (12, 24, 24)),
            id="real-ct",
            marks=needs(CHEST_CT, NODULES),
        ),
    ],
)
def trained(request, tmp_path_factory):
    """A model trained by nnU-Net's own commands."""
    write, patch = request.param
    work = tmp_path_factory.mktemp("work")
    for folder in ("raw", "preprocessed", "results", "my_trainers"):
        (work / folder).mkdir()
    (work / "my_trainers" / "my_lesions.py").write_text(OWN_TRAINER)
    raw = write(work / "raw")
    number = raw.name[7:10]
    assert "0 errors" in _run(work, "reportseg", "check", "-d", number)
    _run(work, "nnUNetv2_plan_and_preprocess", "-d", number, "-c", "3d_fullres", "-np", "1", "-npfp", "1")
    plans = work / "preprocessed" / raw.name / "nnUNetPlans.json"
    job = Job(int(number), write, "3d_tiny", batch_size=6, patch_size=patch, stages=3)
    add_configuration(plans, job)
    plans.write_text(json.dumps(json.loads(plans.read_text()) | {"report_conditioning": RECIPE}))
    _run(work, "reportseg", "embed", "-d", number)
    _run(work, "nnUNetv2_train", number, "3d_tiny", "0", "-tr", TRAINER, "-device", "cpu")
    return work, raw, number


MODEL = ("-c", "3d_tiny", "-tr", TRAINER, "-f", "0", "-device", "cpu", "--disable_tta")


@pytest.fixture(scope="module")
def predicted(trained):
    """Masks of the test cases, by the stock command."""
    work, raw, number = trained
    images = raw / "imagesTs"
    out = work / "stock"
    _run(work, "nnUNetv2_predict", "-i", str(images), "-o", str(out), "-d", number, *MODEL, "-npp", "1", "-nps", "1")
    return out


def _mask(folder, case):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{case}.nii.gz")))


def test_training_left_a_report_guided_model_and_its_validation(trained):
    work, raw, _ = trained
    model = work / "results" / raw.name / f"{TRAINER}__nnUNetPlans__3d_tiny"
    block = json.loads((model / "plans.json").read_text())["report_conditioning"]
    assert block["encoder"] == "minilm"
    assert block["recipe"]["adapter_lr"] == RECIPE["recipe"]["adapter_lr"]
    assert (model / "fold_0" / "validation" / "summary.json").is_file()
    assert (model / "fold_0" / "checkpoint_final.pth").is_file()
    audit = json.loads((model / "fold_0" / "audit.json").read_text())
    assert {"correct", "null", "shuffled"} <= set(audit["conditions"])


def test_masks_have_the_geometry_of_the_input(trained, predicted):
    raw = trained[1]
    for case in PairedTestSet(raw).described:
        image = sitk.ReadImage(str(raw / "imagesTs" / f"{case}_0000.nii.gz"))
        mask = sitk.ReadImage(str(predicted / f"{case}.nii.gz"))
        for name in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(mask, name)() == getattr(image, name)(), (case, name)


def test_another_report_gives_another_mask(trained, predicted):
    tests = PairedTestSet(trained[1])
    masks = {case: _mask(predicted, case) for case in tests.described}
    pairs = [(a, b) for a in masks for b in masks if a < b and tests.volume_of[a] == tests.volume_of[b]]
    assert pairs
    # a model that ignores reports gives all cases of an image the same mask; one that reads them may miss small nodules
    assert any((masks[a] != masks[b]).any() for a, b in pairs)


def test_reportseg_predict_gives_the_masks_of_the_stock_command(trained, predicted):
    work, raw, number = trained
    tests = PairedTestSet(raw)
    cases = tests.siblings(next(iter(tests.described)))
    images, out = work / "two", work / "ours"
    images.mkdir()
    for case in cases:
        shutil.copy(raw / "imagesTs" / f"{case}_0000.nii.gz", images)
    reports = str(raw / "imagesTs" / "reports.json")
    command = ("reportseg", "predict", "-i", str(images), "-d", number, *MODEL, "-r", reports)
    _run(work, *command, "-o", str(out), "--plans_resampling")
    _run(work, *command, "-o", str(work / "fast"))
    for case in cases:
        np.testing.assert_array_equal(_mask(out, case), _mask(predicted, case))
        assert (_mask(work / "fast", case) != _mask(predicted, case)).mean() <= 0.001


def test_reportseg_evaluate_scores_every_case(trained, predicted):
    work, raw, number = trained
    out = work / "scores"
    _run(work, "reportseg", "evaluate", "-p", str(predicted), "-r", str(raw / "labelsTs"), "-d", number, "-o", str(out))
    scores = json.loads((out / "evaluation.json").read_text())
    assert set(PairedTestSet(raw).described) <= set(json.dumps(scores).split('"'))
    assert (out / "evaluation.csv").read_text().count("\n") > len(PairedTestSet(raw).described)


@pytest.mark.parametrize(
    ("reports", "message"),
    [
        (None, "reports.json"),
        ("{", "JSON"),
        ('{"reportseg_version": 1, "cases": {}}', "no entry"),
    ],
)
@pytest.mark.parametrize("command", ["reportseg", "nnUNetv2_predict"])
def test_bad_reports_at_prediction_exit_with_2_and_write_nothing(trained, tmp_path, command, reports, message):
    work, raw, number = trained
    case = next(iter(PairedTestSet(raw).described))
    images, out = tmp_path / "in", tmp_path / "out"
    images.mkdir()
    shutil.copy(raw / "imagesTs" / f"{case}_0000.nii.gz", images)
    if reports is not None:
        (images / "reports.json").write_text(reports)
    start = ("reportseg", "predict") if command == "reportseg" else (command,)
    printed = _run(work, *start, "-i", str(images), "-o", str(out), "-d", number, *MODEL, expect=2)
    assert message in printed
    assert "Traceback" not in printed
    assert not out.exists() or (command == "nnUNetv2_predict" and not list(out.iterdir()))  # nnU-Net makes the folder


def test_bad_reports_in_training_exit_with_2_and_make_no_results(trained):
    work, raw, number = trained
    sidecar = work / "preprocessed" / raw.name / "reports.json"
    originals = {file: file.read_text() for file in (raw / "reports.json", sidecar) if file.is_file()}
    case, *_ = json.loads((raw / "reports.json").read_text())["cases"]
    try:
        for file, text in originals.items():
            data = json.loads(text)
            data["cases"][case]["report"] = " "
            file.write_text(json.dumps(data))
        printed = _run(work, "nnUNetv2_train", number, "3d_tiny", "1", "-tr", TRAINER, "-device", "cpu", expect=2)
    finally:
        for file, text in originals.items():
            file.write_text(text)
    assert f"error: case '{case}', file {raw / 'reports.json'}" in printed
    assert "Fix:" in printed
    assert "Traceback" not in printed
    assert not (work / "results" / raw.name / f"{TRAINER}__nnUNetPlans__3d_tiny" / "fold_1").exists()
