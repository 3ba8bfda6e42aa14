"""One region-based dataset from conversion to masks, by nnU-Net's own entry points: with questions, and blind.

A finding of it is not exhaustive and dataset.json has the ignore label, so that all steps meet both.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
import torch
from nnunetv2.experiment_planning.plan_and_preprocess_entrypoints import plan_and_preprocess_entry
from nnunetv2.inference.predict_from_raw_data import predict_entry_point
from nnunetv2.run.run_training import run_training_entry
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_reportseg.cli.main import main
from nnunet_reportseg.demo.job import Job, add_configuration
from tests.convert.commands import convert
from tests.convert.phantom import write_nifti
from tests.spy_trainer import set_environment

SHAPE = (24, 28, 20)
AFFINE = np.eye(4)
SPLITS = {"train": ("train_1_a_1", "train_2_a_1"), "val": ("valid_3_a_1",)}
FINDINGS = {"0": "Multiple nodules in both lungs.", "1": "Effusion in the left lung."}
HELD_OUT = SPLITS["val"][0]
DATASET = "Dataset511_ReXGroundingCT"
CONFIGURATION = "3d_tiny"
MODEL = ("-d", "511", "-c", CONFIGURATION, "-f", "all", "-device", "cpu", "--disable_tta")

pytestmark = pytest.mark.slow


def write_release(folder: Path) -> Path:
    """Three labelled nodules, which may have further ones beside them, and an effusion; its description."""
    rng = np.random.default_rng(0)
    masks = np.zeros((2, *SHAPE), np.uint8)
    for number, x in enumerate((3, 10, 17), start=1):
        masks[0, x : x + 3, 4:7, 4:7] = number
    masks[1, 4:20, 20:26, 2:10] = 1
    for case in (case for cases in SPLITS.values() for case in cases):
        ct = rng.normal(-800, 20, SHAPE) + 700 * (masks > 0).any(axis=0)
        write_nifti(folder / f"{case}.nii.gz", ct.astype(np.int16), AFFINE)
        write_nifti(folder / "segmentations" / f"{case}.nii.gz", masks, AFFINE)
    items = {
        split: [{"name": f"{case}.nii.gz", "findings": FINDINGS, "entity_counts": {"0": 3, "1": 1}} for case in cases]
        for split, cases in SPLITS.items()
    }
    (folder / "dataset.json").write_text(json.dumps(items))
    return folder / "dataset.json"


@pytest.fixture(scope="module")
def nnunet():
    """Runs an entry point of nnU-Net with arguments, as its command does.

    Its pools have threads: each process would spend seconds on imports for two cases.
    """
    context = multiprocessing.get_context
    threads = SimpleNamespace(Pool=ThreadPool)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing, "get_context", lambda kind=None: threads if kind == "spawn" else context(kind))

        def run(entry_point, *arguments):
            patch.setattr(sys, "argv", [entry_point.__name__, *map(str, arguments)])
            entry_point()

        yield run


@pytest.fixture(scope="module")
def work(tmp_path_factory, nnunet):
    """Folders of nnU-Net with the dataset, converted, planned and preprocessed; trainings have two iterations."""
    root = tmp_path_factory.mktemp("work")
    for folder in ("release", "raw", "preprocessed", "results"):
        (root / folder).mkdir()
    start, threads = nnUNetTrainer.on_train_start, torch.get_num_threads()

    def briefly(trainer):
        start(trainer)
        trainer.num_epochs, trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 2, 1

    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, root)
        patch.setattr(nnUNetTrainer, "on_train_start", briefly)
        description = write_release(root / "release")
        source = ("-i", description, "--images", root / "release", "--held-out", "val", "--unlabelled", "ignore")
        assert convert("rexgroundingct", *source, "-o", root / "raw", "-d", 511) == 0
        once = ("-c", "3d_fullres", "-np", 1, "-npfp", 1, "--verify_dataset_integrity")
        with pytest.MonkeyPatch.context() as planning:
            planning.setenv("nnUNet_n_proc_DA", "1")  # the planner takes it for a number of threads
            nnunet(plan_and_preprocess_entry, "-d", 511, *once)
        plans = root / "preprocessed" / DATASET / "nnUNetPlans.json"
        job = Job(511, lambda raw: raw, CONFIGURATION, batch_size=2, first_features=4, patch_size=(16,) * 3, stages=3)
        add_configuration(plans, job)
        yield root
        torch.set_num_threads(threads)


def trained(nnunet, work: Path, trainer: str) -> Path:
    """The model's folder."""
    nnunet(run_training_entry, "511", CONFIGURATION, "all", "-tr", trainer, "-device", "cpu")
    return work / "results" / DATASET / f"{trainer}__nnUNetPlans__{CONFIGURATION}"


def assert_mask(file: Path) -> None:
    voxels = np.asarray(nibabel.load(file).dataobj)
    assert voxels.shape == SHAPE
    assert set(np.unique(voxels)) <= {0, 1}


def test_a_model_that_is_asked_has_a_mask_for_each_finding(nnunet, work, tmp_path):
    model = trained(nnunet, work, "ReportGroundingTrainer")
    scores = json.loads((model / "fold_all" / "validation" / "findings.json").read_text())
    partly = {(row["case"], row["finding"]): row["known_voxels_only"] for row in scores["findings"]}
    assert partly == {(case, finding): finding == "0" for case in SPLITS["train"] for finding in FINDINGS}
    images = work / "raw" / DATASET / "imagesTs"
    with pytest.raises(SystemExit) as caught:
        main(["predict", "-i", str(images), "-o", str(tmp_path), "-tr", "ReportGroundingTrainer", *MODEL])
    assert caught.value.code in (None, 0)
    index = json.loads((tmp_path / HELD_OUT / "index.json").read_text())
    assert [(entry["id"], entry["text"]) for entry in index["findings"]] == list(FINDINGS.items())
    for entry in index["findings"]:
        assert_mask(tmp_path / HELD_OUT / entry["file"])


def test_the_blind_baseline_has_one_mask(nnunet, work, tmp_path):
    model = trained(nnunet, work, "nnUNetTrainer")
    assert (model / "fold_all" / "validation" / "summary.json").is_file()
    images = work / "raw" / DATASET / "imagesTs"
    here = ("-npp", 0, "-nps", 0)
    nnunet(predict_entry_point, "-i", images, "-o", tmp_path, "-tr", "nnUNetTrainer", *MODEL, *here)
    assert_mask(tmp_path / f"{HELD_OUT}.nii.gz")
