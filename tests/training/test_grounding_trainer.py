"""ReportGroundingTrainer on the spy workspace: what it asks for, trains, validates and refuses."""

from __future__ import annotations

import inspect
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_reportseg.errors import DatasetError, ModelMismatchError
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.training.findings_validation import FINDINGS_JSON
from nnunet_reportseg.training.grounding_trainer import ReportGroundingTrainer
from nnunet_reportseg.training.sub_reports import KEPT
from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import CASES, DATASET, SHAPE, SpyEncoder, case_name, sentence
from text_conditioning.bank import build_bank

NAME = "ReportGroundingTrainer"


@pytest.fixture
def workspace(spy_root, tmp_path, monkeypatch):
    for folder in ("raw", "preprocessed"):
        shutil.copytree(spy_root / folder, tmp_path / folder)
    (tmp_path / "results").mkdir()
    set_environment(monkeypatch, tmp_path)
    return tmp_path


def edit(file: Path, change) -> None:
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


@pytest.fixture
def trainer(spy_env):
    trainer = make_trainer(0, name=NAME)
    trainer.initialize()
    return trainer


def test_it_is_what_nnunet_expects_of_a_trainer():
    assert pickle.loads(pickle.dumps(ReportGroundingTrainer)) is ReportGroundingTrainer
    assert list(inspect.signature(ReportGroundingTrainer.__init__).parameters) == list(
        inspect.signature(nnUNetTrainer.__init__).parameters
    )


def test_target_and_question_are_of_the_same_finding(trainer):
    loader, _ = trainer.get_dataloaders()
    asked = 0
    for _ in range(8):
        batch = next(loader)
        reports = trainer._batch_reports.sample(batch, vary=False)
        target = batch["target"][0] if isinstance(batch["target"], list) else batch["target"]
        for row, (case, kept, report) in enumerate(zip(batch["keys"], batch[KEPT], reports, strict=True)):
            number = int(case.removeprefix("case_"))
            wanted = [value for value, keep in zip((1, 2), kept, strict=True) if keep]
            label = batch["label_map"][row]
            assert torch.equal(target[row] > 0, torch.isin(label, torch.tensor(wanted, dtype=label.dtype)))
            if wanted:
                asked += 1
                assert [s.text for s in report.asked] == [sentence(number + (wanted[0] - 1) * CASES)]
    assert asked >= 6


def test_a_step_trains_question_and_context(trainer):
    memory = trainer.network.report_adapter.memory
    before = memory.asked.detach().clone(), memory.context_bias.detach().clone()
    loader, _ = trainer.get_dataloaders()
    for _ in range(6):
        trainer.train_step(next(loader))
    assert not torch.equal(memory.asked, before[0])
    assert not torch.equal(memory.context_bias, before[1])
    assert trainer.loss.means()["attention"] > 0


@pytest.mark.parametrize("shared", [0, 2], ids=["a decoder for each", "shared stages"])
def test_a_training_ends_with_scores_of_every_validation_finding(workspace, shared):
    block = {"adapter": {"shared_stages": shared}}
    edit(
        workspace / "preprocessed" / DATASET / "nnUNetPlans.json", lambda plans: plans.update(report_conditioning=block)
    )
    trainer = make_trainer(0, name=NAME)
    trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 2, 1
    trainer.run_training()
    trainer.perform_actual_validation()
    written = json.loads((Path(trainer.output_folder) / "validation" / FINDINGS_JSON).read_text())
    rows = {(row["case"], row["finding"]): row for row in written["findings"]}
    assert set(rows) == {(case_name(k), finding) for k in range(1, CASES, 2) for finding in "ab"}
    assert rows[case_name(1), "a"]["n_ref"] == 3 * 4 * 4
    assert rows[case_name(3), "b"]["n_ref"] == 2 * 3 * 5
    assert written["summary"]["dice"] == pytest.approx(np.mean([row["dice"] for row in rows.values()]))
    plans = json.loads((Path(trainer.output_folder_base) / "plans.json").read_text())
    smallest = plans["report_conditioning"]["smallest_component_mm3"]
    assert smallest == pytest.approx(min(row["n_ref"] for row in rows.values()))  # of the training cases: as large here
    assert plans["report_conditioning"]["adapter"]["shared_stages"] == shared
    learned = [parameter.any() for parameter in trainer.network.report_adapter.shared.parameters()]
    assert bool(learned) == bool(shared)
    assert all(learned)


def test_specks_do_not_count_in_the_validation(workspace, monkeypatch):
    def one_voxel(self, data, reports, vectors, axes, properties):
        masks = np.zeros((len(reports), *SHAPE), dtype=np.int64)
        masks[:, 2, 2, 2] = 1
        return list(masks)

    monkeypatch.setattr(MultiReportPredictor, "segment_reports", one_voxel)
    trainer = make_trainer(0, name=NAME)
    trainer.initialize()
    trainer.perform_actual_validation()
    written = json.loads((Path(trainer.output_folder) / "validation" / FINDINGS_JSON).read_text())
    assert {row["n_pred"] for row in written["findings"]} == {0}


def test_denied_findings_are_asked_for_in_the_validation(workspace):
    def deny(data):
        data["cases"][case_name(1)]["report"] += " Nodule number 15 is not seen."

    edit(workspace / "raw" / DATASET / "reports.json", deny)
    preprocessed = workspace / "preprocessed" / DATASET
    build_bank(preprocessed / "report_embeddings", SpyEncoder(), ["Nodule number 15 is not seen."])
    trainer = make_trainer(0, name=NAME)
    trainer.initialize()
    trainer.perform_actual_validation()
    written = json.loads((Path(trainer.output_folder) / "validation" / FINDINGS_JSON).read_text())
    (absent,) = (row for row in written["findings"] if row["n_ref"] == 0)
    assert (absent["case"], absent["finding"]) == (case_name(1), "denied 1")
    assert written["summary"]["absent"] == 1
    assert written["summary"]["findings"] == CASES


def test_labels_of_several_classes_are_refused(workspace):
    def separate(data):
        data["labels"] = {"background": 0, "nodule": 1, "mass": 2}
        del data["regions_class_order"]

    edit(workspace / "preprocessed" / DATASET / "dataset.json", separate)
    with pytest.raises(DatasetError, match="one region that merges all findings"):
        make_trainer(0, name=NAME)


def test_a_dataset_without_findings_is_refused(workspace):
    def forget(data):
        for entry in data["cases"].values():
            entry["findings"] = []

    edit(workspace / "raw" / DATASET / "reports.json", forget)
    with pytest.raises(DatasetError, match="no finding in reports"):
        make_trainer(0, name=NAME)


def test_the_network_of_every_preset_takes_the_same_batch(trainer):
    """A plain model is not changed by what only grounding has."""
    plain = make_trainer(0)
    plain.initialize()
    assert not any("asked" in key or "context_bias" in key for key in plain.network.state_dict())
    assert {key for key in trainer.network.state_dict() if "asked" in key or "context_bias" in key} == {
        "report_adapter.memory.asked",
        "report_adapter.memory.context_bias",
    }


def test_nnunets_own_prediction_is_refused_because_it_asks_for_nothing(workspace):
    trainer = make_trainer(0, name=NAME)
    trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 1
    trainer.run_training()
    predictor = nnUNetPredictor(use_mirroring=False, device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(trainer.output_folder_base, (0,))
    (workspace / "out").mkdir()
    with pytest.raises(ModelMismatchError, match=r"case_000.*was not asked for any"):
        predictor.predict_from_files_sequential(str(workspace / "raw" / DATASET / "imagesTs"), str(workspace / "out"))
