"""Unlabelled instances of a finding count neither way, from the target to the loss, the attention and the scores.

In the spy workspace, finding "b" of every case is not exhaustive; the margin is one voxel.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_reportseg.training.findings_validation import FINDINGS_JSON
from nnunet_reportseg.training.known_voxels import known_voxels
from nnunet_reportseg.training.sampled_reports import reading_target
from nnunet_reportseg.training.sub_reports import KEPT, LABEL_MAP
from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import CASES, DATASET, SHAPE, case_name, write_workspace
from text_conditioning.attention_supervision import attention_supervision_loss

IGNORE = 3
PARTLY = (False, True)  # kept findings where "b" is asked for


def write(root: Path, ignore_label: int | None) -> Path:
    write_workspace(root, ignore_label=ignore_label)
    sidecar = root / "raw" / DATASET / "reports.json"
    data = json.loads(sidecar.read_text())
    for entry in data["cases"].values():
        entry["findings"][1]["exhaustive"] = False
    sidecar.write_text(json.dumps(data))
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write(tmp_path_factory.mktemp("ignore"), IGNORE)


def grounding(monkeypatch, root: Path):
    set_environment(monkeypatch, root)
    monkeypatch.setattr("nnunet_reportseg.training.known_voxels.MARGIN_MM", 1.0)
    trainer = make_trainer(0, name="ReportGroundingTrainer")
    trainer.initialize()
    return trainer


@pytest.fixture
def trainer(monkeypatch, root):
    return grounding(monkeypatch, root)


def batches(trainer, count: int):
    loader, _ = trainer.get_dataloaders()
    return [next(loader) for _ in range(count)]


def batch_with_unknown_voxels(trainer):
    """A batch in which a sample asks for "b", with voxels of it."""
    for batch in batches(trainer, 30):
        target = batch["target"][0]
        if any(kept == PARTLY and target[row].flatten(1).any(1).all() for row, kept in enumerate(batch[KEPT])):
            return batch
    raise AssertionError("never asked for")


def test_the_target_ignores_what_is_unknown_of_a_partly_labelled_finding_alone(trainer):
    asked = set()
    for batch in batches(trainer, 10):
        for row, kept in enumerate(batch[KEPT]):
            asked.add(kept)
            finding, ignored = batch["target"][0][row]
            labels = batch[LABEL_MAP][row, 0]
            wanted = [value for value, keep in zip((1, 2), kept, strict=True) if keep]
            assert torch.equal(finding, torch.isin(labels, torch.tensor(wanted, dtype=labels.dtype)))
            if kept == PARTLY:
                known = known_voxels(labels.numpy(), ((1,), (2,)), 1, (1, 1, 1))
                np.testing.assert_array_equal(~ignored.numpy(), known)
            else:
                assert not ignored.any()
    assert asked == {(True, False), PARTLY, (False, False)}


def test_lower_resolutions_take_finding_and_ignored_voxels_from_the_same_places(trainer):
    batch = batch_with_unknown_voxels(trainer)
    finest = batch["target"][0]
    assert len(batch["target"]) == 2
    for coarse in batch["target"][1:]:
        step = finest.shape[-1] // coarse.shape[-1]
        taken = (slice(None), slice(None), *[slice(step // 2, None, step)] * 3)
        assert torch.equal(coarse, finest[taken])
        assert coarse[:, 1].any()


def test_no_gradient_reaches_ignored_voxels(trainer):
    target = batch_with_unknown_voxels(trainer)["target"]
    logits = [torch.randn(t.shape[0], 1, *t.shape[2:], requires_grad=True) for t in target]
    trainer.loss(logits, target).backward()
    supervised = [weight > 0 for weight in trainer.loss.segmentation.weight_factors]
    assert supervised == [True, False], "nnU-Net leaves out the coarsest"
    gradient, (_, ignored) = logits[0].grad[:, 0], target[0].unbind(1)
    assert (gradient[ignored] == 0).all()
    assert (gradient[~ignored] != 0).all()


def test_a_batch_of_which_nothing_is_known_teaches_nothing(trainer):
    target = [torch.zeros_like(t) for t in batches(trainer, 1)[0]["target"]]
    for t in target:
        t[:, 1] = True
    logits = [torch.randn(t.shape[0], 1, *t.shape[2:], requires_grad=True) for t in target]
    loss = trainer.loss(logits, target)
    loss.backward()
    assert torch.isfinite(loss)
    assert (logits[0].grad == 0).all()


def test_attention_is_not_supervised_where_the_target_is_ignored(trainer):
    batch = batch_with_unknown_voxels(trainer)
    reports = trainer._batch_reports.sample(batch, vary=False)
    length = max(len(report.read) for report in reports)
    reading = reading_target(batch[LABEL_MAP], reports, length)
    shape = batch[LABEL_MAP].shape
    attention = torch.full((shape[0], 1 + length, *shape[2:]), 1 / (1 + length), requires_grad=True)
    attention_supervision_loss(attention, reading.masks, reading.sentences).backward()
    supervised = (attention.grad != 0).any(dim=1)
    row = batch[KEPT].index(PARTLY)
    assert not supervised[batch["target"][0][:, 1]].any()
    assert torch.equal(supervised[row], batch[LABEL_MAP][row, 0] > 0), "its voxels attend, those of the other do not"


def always_yes(trainer) -> None:
    """A network that finds everything everywhere."""
    for layer in trainer.network.decoder.seg_layers:
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.constant_(layer.bias, 10.0)


def test_training_and_validation_steps_count_known_voxels(trainer):
    trainer.train_step(batch_with_unknown_voxels(trainer))
    always_yes(trainer)
    batch = batch_with_unknown_voxels(trainer)
    finding, ignored = batch["target"][0].unbind(1)
    counts = trainer.validation_step(batch)
    assert np.isfinite(counts["loss"])
    assert counts["tp_hard"] == finding.sum()
    assert counts["fp_hard"] == (~finding & ~ignored).sum()
    assert counts["fn_hard"] == 0


def scores(trainer):
    always_yes(trainer)
    trainer.perform_actual_validation()
    written = json.loads((Path(trainer.output_folder) / "validation" / FINDINGS_JSON).read_text())
    return {row["finding"]: row for row in written["findings"] if row["case"] == case_name(1)}, written["summary"]


def test_findings_are_scored_on_known_voxels_and_say_so(trainer):
    rows, summary = scores(trainer)
    whole, partly = rows["a"], rows["b"]
    assert (whole["known_voxels_only"], partly["known_voxels_only"]) == (False, True)
    assert summary["known_voxels_only"] == CASES // 2
    assert whole["n_pred"] == np.prod(SHAPE)
    box, other = 4 * 5 * 7, 3 * 4 * 4  # finding "b" is 2 x 3 x 5; its margin is one voxel at either side
    assert partly["n_pred"] == box + other
    assert partly["dice"] == pytest.approx(2 * 30 / (30 + box + other))
    log = Path(trainer.log_file).read_text()
    assert f"{CASES} findings are not exhaustive: their unlabelled instances are ignored" in log


def test_without_an_ignore_label_unlabelled_instances_are_background(monkeypatch, tmp_path):
    trainer = grounding(monkeypatch, write(tmp_path, None))
    assert all(batch["target"][0].shape[1] == 1 for batch in batches(trainer, 3))
    rows, summary = scores(trainer)
    assert rows["b"]["n_pred"] == np.prod(SHAPE)
    assert (rows["b"]["known_voxels_only"], summary["known_voxels_only"]) == (False, 0)
    assert "are background, because dataset.json has no label 'ignore'" in Path(trainer.log_file).read_text()


def test_the_blind_baseline_trains_on_the_same_dataset(monkeypatch, root):
    set_environment(monkeypatch, root)
    trainer = make_trainer(0, name="nnUNetTrainer")
    assert type(trainer) is nnUNetTrainer
    trainer.initialize()
    before = {name: weight.clone() for name, weight in trainer.network.named_parameters()}
    (batch,) = batches(trainer, 1)
    assert not batch["target"][0][:, 1].any(), "no label file holds the ignore label"
    assert np.isfinite(trainer.train_step(batch)["loss"])
    assert any(not torch.equal(before[name], weight) for name, weight in trainer.network.named_parameters())
