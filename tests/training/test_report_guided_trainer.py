"""The trainer on the spy workspace: what it trains, mirrors, writes, resumes, loads and refuses."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from batchgenerators.utilities.file_and_folder_operations import load_pickle, write_pickle
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.run import run_training
from nnunetv2.run.run_training import maybe_load_checkpoint
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_reportseg.case_reports import CaseFinding, read_case_report
from nnunet_reportseg.conditioning import PLANS_KEY, ReportConditioning, TrainingRecipe
from nnunet_reportseg.errors import ArchitectureError, GeometryError, ModelMismatchError, ReportSegError, SidecarError
from nnunet_reportseg.inference.redispatch import PREDICTING_METHODS, install_redispatch
from nnunet_reportseg.network.report_guided_unet import PlannedBackbone, ReportGuidedUNet
from nnunet_reportseg.sidecar import Sidecar
from nnunet_reportseg.training.frame_tracking import FrameTracking
from nnunet_reportseg.training.report_guided_trainer import MAX_ROTATION
from nnunet_reportseg.training.sampled_reports import MOST_DISTRACTORS, negatives_of
from nnunet_reportseg.training.sub_reports import KEPT, LABEL_MAP, WITHOUT_REPORT
from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import CASES, DATASET, SpyEncoder, bank_sentences, case_name, sentence
from text_conditioning.memory import ReportTensors


class Workspace:
    """A copy of the spy workspace that a test may change."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.raw = root / "raw" / DATASET
        self.preprocessed = root / "preprocessed" / DATASET

    def edit(self, file: Path, change) -> None:
        """Load a JSON file, change it in place, write it back."""
        data = json.loads(file.read_text())
        change(data)
        file.write_text(json.dumps(data))

    def edit_cases(self, change) -> None:
        self.edit(self.raw / "reports.json", lambda data: change(data["cases"]))

    def edit_plans(self, change) -> None:
        self.edit(self.preprocessed / "nnUNetPlans.json", change)

    def turn(self, case: str, direction) -> None:
        """Give a preprocessed case another direction."""
        file = str(self.preprocessed / "spyPlans_3d_fullres" / f"{case}.pkl")
        properties = load_pickle(file)
        properties["sitk_stuff"]["direction"] = direction
        write_pickle(properties, file)


@pytest.fixture
def workspace(spy_root, tmp_path, monkeypatch):
    for folder in ("raw", "preprocessed"):
        shutil.copytree(spy_root / folder, tmp_path / folder)
    (tmp_path / "results").mkdir()
    set_environment(monkeypatch, tmp_path)
    return Workspace(tmp_path)


def short_trainer(fold=0, configuration="3d_fullres", name="ReportGuidedTrainer", *, continue_training=False):
    trainer = make_trainer(fold, configuration, name, continue_training=continue_training)
    trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 2, 1
    return trainer


def initialized(*args, **kwargs):
    trainer = short_trainer(*args, **kwargs)
    trainer.initialize()
    return trainer


def batches(trainer, count):
    loader, _ = trainer.get_dataloaders()
    return [next(loader) for _ in range(count)]


def log_of(trainer):
    return Path(trainer.log_file).read_text()


def state_of(network):
    return {key: value.clone() for key, value in network.state_dict().items()}


# ---------------------------------------------------------------------------------------------------- what it trains


def test_a_step_changes_adapters_and_backbone_and_nothing_else(workspace):
    trainer = initialized()
    before = state_of(trainer.network)
    for batch in batches(trainer, 6):
        trainer.train_step(batch)
    after = trainer.network.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert not any("whitening" in key for key in changed)
    assert {key.split(".")[0] for key in changed} == {"encoder", "decoder", "report_adapter"}
    parameters = {name for name, _ in trainer.network.named_parameters()}
    untouched = parameters - changed
    lowest_head = "decoder.seg_layers.0."  # its loss has the weight 0 in nnU-Net
    assert not [name for name in untouched if not name.startswith(("report_adapter.", lowest_head))]
    assert not [name for name in untouched if ".attention.out" in name or ".film.scale_shift" in name]


@pytest.mark.parametrize(
    ("backbone_optimizer", "adapter_optimizer"), [("sgd", "adamw"), ("adamw", "adamw"), ("sgd", "sgd")]
)
def test_network_and_optimiser_hold_no_text_encoder(workspace, backbone_optimizer, adapter_optimizer):
    recipe = {"backbone_optimizer": backbone_optimizer, "adapter_optimizer": adapter_optimizer}
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": recipe}}))
    trainer = initialized()
    network = {id(parameter) for parameter in trainer.network.parameters()}
    optimised = [id(parameter) for group in trainer.optimizer.param_groups for parameter in group["params"]]
    assert len(optimised) == len(set(optimised))
    assert set(optimised) == network
    assert {name.split(".")[0] for name in trainer.network.state_dict()} == {"encoder", "decoder", "report_adapter"}
    packages = {type(module).__module__.split(".")[0] for module in trainer.network.modules()}
    assert not packages & {"transformers", "sentence_transformers"}
    kinds = [type(member).__name__ for member in trainer.optimizer.members]
    assert kinds == [{"sgd": "SGD", "adamw": "AdamW"}[name] for name in (backbone_optimizer, adapter_optimizer)]
    rates = {"SGD": trainer.initial_lr, "AdamW": trainer.conditioning.recipe.adapter_lr}
    assert [member.param_groups[0]["lr"] for member in trainer.optimizer.members] == [rates[kind] for kind in kinds]


def test_the_network_is_told_how_much_larger_patches_show_things(workspace, monkeypatch):
    trainer = initialized()
    found = batches(trainer, 50)
    zooms = torch.cat([batch["zoom"] for batch in found])
    unchanged = zooms.abs() < 1e-6
    assert set(zooms[~unchanged].sign().tolist()) == {-1, 1}  # nnU-Net enlarges and shrinks, in one of five samples
    assert 0.5 < unchanged.float().mean() < 1
    assert zooms.min() > -math.log(1.4) - 1e-6  # voxels of 0.7 to 1.4 times the size
    assert zooms.max() < -math.log(0.7) + 1e-6
    volumes = torch.cat([torch.linalg.det(batch["frame"][:, :, :3]).abs() for batch in found])
    torch.testing.assert_close(volumes * torch.exp(3 * zooms), volumes[unchanged][0].expand(len(zooms)))
    batch = found[0]
    batch["zoom"] = torch.linspace(-0.3, 0.3, len(batch["zoom"]))
    seen = []
    monkeypatch.setattr(nnUNetTrainer, "train_step", lambda self, batch: seen.append(self.network.zoom))
    trainer.train_step(batch)
    assert torch.equal(seen[0], batch["zoom"])
    assert trainer.network.zoom is None


def test_the_context_is_cleared_after_a_step_also_after_a_failing_one(workspace, monkeypatch):
    trainer = initialized()
    batch = batches(trainer, 1)[0]
    trainer.train_step(batch)
    assert trainer.network.report is None
    assert trainer.loss.target is None

    def fail(self, batch):
        raise KeyError("broken")

    monkeypatch.setattr(nnUNetTrainer, "train_step", fail)
    with pytest.raises(KeyError):
        trainer.train_step(batch)
    assert trainer.network.report is None
    assert trainer.network.frame is None
    assert not trainer.network.collect_reading
    assert trainer.loss.target is None


@pytest.mark.parametrize("configuration", ["3d_fullres", "2d"])
def test_the_target_holds_the_findings_that_are_left_in_the_report(workspace, configuration):
    """Regions are made from the target after findings were left out."""
    recipe = {"sub_report": 1.0, "report_dropout": 0.2}
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": recipe}}))
    trainer = initialized("all", configuration)
    seen = set()
    for batch in batches(trainer, 25):
        target = batch["target"][0] if isinstance(batch["target"], list) else batch["target"]
        for row, kept in enumerate(batch[KEPT]):
            described = torch.zeros_like(batch[LABEL_MAP][row, 0], dtype=torch.bool)
            for value, keep in zip((1, 2), kept, strict=True):
                if keep:
                    described |= batch[LABEL_MAP][row, 0] == value
            assert torch.equal(target[row, 0] > 0, described)
            assert not batch[WITHOUT_REPORT][row] or all(kept)
            seen.add((kept, bool(described.any()), bool((batch[LABEL_MAP][row] > 0).any())))
    assert {kept for kept, *_ in seen} == {(a, b) for a in (True, False) for b in (True, False)}
    assert ((False, False), False, True) in seen


def test_validation_uses_whole_reports(workspace):
    trainer = initialized("all")
    _, loader = trainer.get_dataloaders()
    for _ in range(6):
        batch = next(loader)
        assert batch[KEPT] == [(True, True)] * 2
        assert batch[WITHOUT_REPORT] == [False, False]


def test_a_finding_whose_sentence_stays_keeps_its_voxels(workspace):
    shared = "Nodules number 3 are seen on both sides."

    def share(cases):
        for entry in cases.values():
            entry["report"] = shared
            for finding in entry["findings"]:
                finding["text"] = shared

    workspace.edit_cases(share)
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": {"sub_report": 1.0}}}))
    bank_with(workspace, bank_sentences([shared]))
    kept = [kept for batch in batches(initialized("all"), 8) for kept in batch[KEPT]]
    assert {(True, True), (False, False)} == set(kept)


@pytest.mark.parametrize("configuration", ["3d_fullres", "2d"])
@pytest.mark.parametrize("balanced", [True, False])
def test_patches_are_chosen_for_findings_evenly_where_asked_for(workspace, balanced, configuration):
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": {"balanced": balanced}}}))
    trainer = initialized("all", configuration)
    loader = trainer.get_dataloaders()[0].data_loader
    case = case_name(CASES - 1)
    data, labels, _, properties = loader._data.load_case(case)
    labels, locations = labels[:], properties["class_locations"]
    # what nnU-Net samples of a region may hold nothing of its small findings
    sampled = {region: np.array([v for v in found if labels[tuple(v)] == 1]) for region, found in locations.items()}
    labels, chosen = labels[0], []
    loader._cases, loader._samples = [case], []
    for _ in range(400):
        lower, upper = loader.get_bbox(data.shape[1:], True, sampled)
        chosen.append(loader._focus)
        if balanced:
            box = tuple(slice(max(0, start), end) for start, end in zip(lower, upper, strict=True))
            assert (labels[box] == 1 + chosen[-1]).any()
        loader.get_bbox(data.shape[1:], False, sampled)
        assert loader._focus is None, "a patch anywhere is chosen for no finding"
    if not balanced:
        assert set(chosen) == {None}
        return
    first = chosen.count(0) / len(chosen)
    assert (labels == 1).sum() > 2 * (labels == 2).sum()
    assert 0.4 < first < 0.6, "a large finding is chosen as often as a small one"


def test_a_case_without_voxels_of_findings_takes_nnunets_choice(workspace):
    workspace.edit_cases(lambda cases: [case.pop("findings") for case in list(cases.values())[:1]])
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": {"balanced": True}}}))
    trainer = initialized("all")
    trainer.oversample_foreground_percent = 1.0
    kept = [k for batch in batches(trainer, 12) for k in batch[KEPT]]
    assert () in kept
    assert any(kept)


def bank_with(workspace, sentences):
    from text_conditioning.bank import build_bank

    build_bank(workspace.preprocessed / "report_embeddings", SpyEncoder(), sentences)


# ------------------------------------------------------------------------------------------- mirroring and rotation


@pytest.mark.parametrize("configuration", ["3d_fullres", "2d"])
@pytest.mark.parametrize("transpose", [[0, 1, 2], [1, 0, 2], [2, 0, 1], [1, 2, 0]])
def test_left_and_right_are_never_mirrored(workspace, configuration, transpose):
    """Image axis x is left-right, the last axis before the transpose."""
    workspace.edit_plans(lambda plans: plans.update(transpose_forward=transpose))
    trainer = initialized(configuration=configuration)
    axis = transpose.index(2)
    *_, mirrored = trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    *_, stock = nnUNetTrainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size(trainer)
    in_volume = {a + 3 - len(trainer.configuration_manager.patch_size) for a in mirrored}
    all_axes = {a + 3 - len(trainer.configuration_manager.patch_size) for a in stock}
    assert trainer.conditioning.left_right_axis == axis
    assert in_volume == all_axes - {axis}


def test_the_mirroring_axes_reach_the_transforms_and_the_checkpoint(workspace, tmp_path):
    trainer = initialized()
    mirror = tracked(trainer)["MirrorTransform"]
    trainer.save_checkpoint(str(tmp_path / "checkpoint.pth"))
    checkpoint = torch.load(tmp_path / "checkpoint.pth", weights_only=False)
    assert tuple(mirror.allowed_axes) == (0, 1)
    assert tuple(checkpoint["inference_allowed_mirroring_axes"]) == (0, 1)


def tracked(trainer):
    """The transforms of the training that move voxels, by name."""
    loader, _ = trainer.get_dataloaders()
    steps = [t for t in loader.data_loader._pipeline.transforms if isinstance(t, FrameTracking)]
    return {type(step.transform).__name__: step.transform for step in steps}


@pytest.mark.parametrize("configuration", ["3d_fullres", "2d"])
def test_rotation_stays_within_30_degrees(workspace, configuration):
    trainer = initialized(configuration=configuration)
    low, high = trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()[0]
    assert -MAX_ROTATION <= low < 0 < high <= MAX_ROTATION
    assert pytest.approx(np.deg2rad(30)) == MAX_ROTATION
    if configuration == "2d":
        stock, *_ = nnUNetTrainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size(trainer)
        assert stock[1] > 3
    assert tuple(tracked(trainer)["SpatialTransform"].rotation) == (low, high)


def test_images_with_different_left_right_axes_are_refused_by_name(workspace):
    workspace.turn(case_name(4), (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    with pytest.raises(GeometryError, match=rf"{case_name(4)}.*1 cases"):
        initialized()
    assert results_of(workspace) == []


def test_images_without_orientation_are_not_mirrored_at_all(workspace):
    for number in range(CASES):
        workspace.turn(case_name(number), (1.0, 0.0, 0.0, 1.0))
    trainer = initialized()
    *_, mirrored = trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    assert mirrored == ()
    assert trainer.conditioning.left_right_axis is None
    assert "no mirroring" in log_of(trainer)


# -------------------------------------------------------------------------------------------------- block in the plans


def test_the_block_is_written_to_the_model_folder_and_reads_back(workspace):
    plans_file = workspace.preprocessed / "nnUNetPlans.json"
    before = plans_file.read_text()
    trainer = short_trainer()
    trainer.on_train_start()
    written = json.loads((Path(trainer.output_folder_base) / "plans.json").read_text())
    assert ReportConditioning.from_plans(written) == trainer.conditioning
    assert trainer.conditioning.encoder_fingerprint == SpyEncoder.fingerprint
    assert trainer.conditioning.trained_with["findings"] == 2 * CASES
    assert plans_file.read_text() == before


def test_a_partial_block_in_the_plans_changes_single_defaults(workspace):
    block = {"recipe": {"sub_report": 0.9}, "adapter": {"memory_dim": 24, "heads": 2}}
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: block}))
    trainer = initialized()
    assert trainer.conditioning.recipe == TrainingRecipe(sub_report=0.9)
    assert trainer.network.report_adapter.memory.projection.out_features == 24


@pytest.mark.parametrize("batch_dice", [True, False])
def test_dice_is_over_the_batch_unless_the_recipe_leaves_it_to_the_plans(workspace, batch_dice):
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": {"batch_dice": batch_dice}}}))
    trainer = make_trainer("all")
    trainer.initialize()
    assert trainer.loss.segmentation.loss.dc.batch_dice is batch_dice
    planned = trainer.plans_manager.plans["configurations"]["3d_fullres"]
    assert planned["batch_dice"] is False


def test_an_unknown_field_in_the_plans_is_refused_by_name(workspace):
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": {"sub_reports": 0.9}}}))
    with pytest.raises(ModelMismatchError, match="sub_reports"):
        initialized()


@pytest.mark.parametrize("block", [{"receipe": {"sub_report": 0.9}}, {"recipe": {"backbone_optimizer": "adam"}}])
def test_a_misspelt_block_in_the_plans_is_refused_by_name(workspace, block):
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: block}))
    with pytest.raises(ModelMismatchError, match=r"receipe|adam"):
        initialized()


# --------------------------------------------------------------------------------------- checkpoints and their loading


def edited_checkpoint(spy_model, file, change):
    checkpoint = torch.load(spy_model / "fold_0" / "checkpoint_final.pth", weights_only=False)
    change(checkpoint["init_args"]["plans"][PLANS_KEY])
    torch.save(checkpoint, file)
    return str(file)


def of_another_encoder(block):
    block.update(encoder="other-encoder", encoder_fingerprint="feedfeedfeedfeed")


def test_a_checkpoint_of_another_encoder_is_refused_by_name(workspace, spy_model, tmp_path):
    file = edited_checkpoint(spy_model, tmp_path / "checkpoint.pth", of_another_encoder)
    trainer = initialized()
    before = state_of(trainer.network)
    with pytest.raises(ModelMismatchError, match=r"(?s)other-encoder.*feedfeedfeedfeed.*REPORTSEG_ENCODER"):
        trainer.load_checkpoint(file)
    assert all(torch.equal(before[key], value) for key, value in trainer.network.state_dict().items())


def test_a_checkpoint_of_the_same_encoder_loads_entirely(workspace, spy_model):
    trainer = short_trainer()
    file = str(spy_model / "fold_0" / "checkpoint_final.pth")
    trainer.load_checkpoint(file)
    saved = torch.load(file, weights_only=False)["network_weights"]
    assert all(torch.equal(saved[key], value) for key, value in trainer.network.state_dict().items())


def interrupt_after_first_epoch(trainer):
    start = trainer.on_epoch_start

    def on_epoch_start():
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt
        start()

    trainer.num_epochs, trainer.save_every, trainer.on_epoch_start = 2, 1, on_epoch_start
    with pytest.raises(KeyboardInterrupt):
        trainer.run_training()


def test_an_interrupted_training_continues_with_c(workspace):
    first = short_trainer()
    interrupt_after_first_epoch(first)
    resumed = short_trainer(continue_training=True)
    resumed.num_epochs = 2
    maybe_load_checkpoint(resumed, True, False)
    assert resumed.current_epoch == 1
    for ours, theirs in zip(resumed.optimizer.members, first.optimizer.members, strict=True):
        assert type(ours) is type(theirs)
        ours, theirs = ours.state_dict()["state"], theirs.state_dict()["state"]
        assert ours.keys() == theirs.keys()
        assert ours
        for number in ours:
            for key, value in ours[number].items():
                torch.testing.assert_close(value, theirs[number][key], rtol=0, atol=0)
    weights = resumed.network.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in first.network.state_dict().items())

    resumed.run_training()
    assert resumed.current_epoch == 2
    rates = [group["lr"] for group in resumed.optimizer.param_groups]
    assert rates == pytest.approx([1e-2 * 0.5**0.9, 1e-3 * 0.5**0.9])
    checkpoint = torch.load(Path(resumed.output_folder) / "checkpoint_final.pth", weights_only=False)
    assert checkpoint["current_epoch"] == 2
    assert len(checkpoint["logging"]["train_losses"]) == 2


def run_network(network):
    """A pass over a fixed patch with a report that is not empty."""
    network.set_report(
        ReportTensors(
            torch.randn(1, 8, 16, generator=torch.Generator().manual_seed(0)),
            *(torch.zeros(1, 8, dtype=torch.int64) for _ in range(5)),
            *(torch.zeros(1, 8, dtype=torch.bool) for _ in range(2)),
        )
    )
    network.set_frame(torch.eye(3, 4)[None] / 8)
    with torch.no_grad():
        return network(patch())


def patch():
    return torch.randn(1, 4, 8, 8, 8, generator=torch.Generator().manual_seed(1))


def test_plain_weights_load_into_the_backbone_and_adapters_start_as_the_identity(workspace, tmp_path):
    plain = initialized(name="nnUNetTrainer")
    for parameter in plain.network.parameters():
        parameter.data += 0.1
    file = str(tmp_path / "plain.pth")
    plain.save_checkpoint(file)
    trainer = short_trainer()
    maybe_load_checkpoint(trainer, False, False, file)
    state, saved = trainer.network.state_dict(), plain.network.state_dict()
    loaded = {key for key in saved if ".seg_layers." not in key}
    assert all(torch.equal(state[key], saved[key]) for key in loaded)
    assert not all(torch.equal(state[key], saved[key]) for key in saved)
    plain.network.load_state_dict(PlannedBackbone(trainer.network).state_dict())
    with torch.no_grad():
        expected = plain.network(patch())
    for ours, theirs in zip(run_network(trainer.network), expected, strict=True):
        assert torch.equal(ours, theirs)


def test_weights_of_a_report_guided_model_load_entirely(workspace, spy_model):
    file = spy_model / "fold_1" / "checkpoint_final.pth"
    trainer = short_trainer()
    maybe_load_checkpoint(trainer, False, False, str(file))
    saved = torch.load(file, weights_only=False)["network_weights"]
    state = trainer.network.state_dict()
    assert state.keys() == saved.keys()
    assert all(torch.equal(state[key], saved[key]) for key in saved if ".seg_layers." not in key)
    assert any("whitening.matrix" in key for key in saved)
    assert trainer.current_epoch == 0


def test_weights_of_a_model_of_another_encoder_are_refused_by_name(workspace, spy_model, tmp_path):
    file = edited_checkpoint(spy_model, tmp_path / "checkpoint.pth", of_another_encoder)
    with pytest.raises(ModelMismatchError, match="other-encoder"):
        maybe_load_checkpoint(short_trainer(), False, False, file)


# -------------------------------------------------------------------------------------------------- reports of any kind


def test_a_dataset_without_findings_trains_and_says_so(workspace):
    workspace.edit_cases(lambda cases: [entry.pop("findings") for entry in cases.values()])
    trainer = short_trainer()
    trainer.run_training()
    assert "No finding in reports.json has label values" in log_of(trainer)
    assert "attention_loss" not in log_of(trainer)
    assert trainer.loss.means() == {}


def test_a_dataset_with_findings_logs_the_attention_loss(workspace):
    trainer = short_trainer()
    trainer.run_training()
    assert "attention_loss" in log_of(trainer)
    assert "No finding in reports.json" not in log_of(trainer)


def test_an_adapter_without_attention_trains(workspace):
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"adapter": {"attention_stages": 0}}}))
    trainer = initialized()
    trainer.train_step(batches(trainer, 1)[0])
    assert trainer.loss.means() == {}


@pytest.mark.parametrize("without", [{0}, set(range(CASES))])
def test_a_null_report_trains(workspace, without):
    workspace.edit_cases(lambda cases: cases.update({case_name(k): {"report": None} for k in without}))
    trainer = short_trainer("all")
    trainer.run_training()
    assert trainer.conditioning.trained_with["cases_without_report"] == len(without)
    assert bool(trainer.network.report_adapter.whitening.fitted) == (len(without) < CASES)
    assert all(torch.isfinite(parameter).all() for parameter in trainer.network.parameters())


ALL_SENTENCES = bank_sentences(sentence(k) for k in range(2 * CASES))


class RecordingEncoder(SpyEncoder):
    """A spy encoder with the constructor of FrozenTextEncoder, which remembers what it was given."""

    made: ClassVar[list] = []
    encoded: ClassVar[list] = []

    def __init__(self, name, device="cpu"):
        self.made.append(name)

    def encode(self, sentences, *, progress=None):
        self.encoded.extend(sentences)
        return super().encode(sentences)


@pytest.fixture
def encoder(monkeypatch):
    monkeypatch.setattr(RecordingEncoder, "made", [])
    monkeypatch.setattr(RecordingEncoder, "encoded", [])
    monkeypatch.setattr("nnunet_reportseg.training_reports.FrozenTextEncoder", RecordingEncoder)
    return RecordingEncoder


def test_the_trainer_builds_a_missing_bank_once(workspace, encoder):
    shutil.rmtree(workspace.preprocessed / "report_embeddings")
    trainer = initialized()
    assert encoder.made == ["minilm"]
    assert sorted(encoder.encoded) == sorted(ALL_SENTENCES)
    assert (workspace.preprocessed / "reports.json").is_file()
    initialized()
    assert encoder.made == ["minilm"]
    assert trainer.reports.bank.vectors([sentence(3)]).argmax() == 3


def test_only_new_sentences_are_embedded_with_the_encoder_of_the_bank(workspace, encoder):
    new = "Nodule number 15 is seen."
    workspace.edit_cases(lambda cases: cases[case_name(2)].update(report=f"{sentence(2)} {sentence(8)} {new}"))
    trainer = initialized()
    assert encoder.made == ["spy"]
    assert encoder.encoded == [new]
    assert trainer.reports.bank.vectors([new]).argmax() == 15


def test_a_bank_that_is_complete_needs_no_encoder(workspace, encoder):
    initialized()
    assert encoder.made == []


def cut(file):
    file.write_bytes(file.read_bytes()[:-3])


def of_other_keys(file):
    file.write_text(json.dumps(json.loads(file.read_text()) | {"keys_sha256": "0" * 64}))


@pytest.mark.parametrize(
    ("ending", "damage", "encoded"),
    [("safetensors", cut, len(ALL_SENTENCES)), ("json", of_other_keys, 0), ("json", cut, 0)],
)
def test_a_damaged_bank_is_built_again_with_a_warning(workspace, encoder, monkeypatch, caplog, ending, damage, encoded):
    monkeypatch.setattr("nnunet_reportseg.embedding.FrozenTextEncoder", RecordingEncoder)
    file = workspace.preprocessed / "report_embeddings" / f"{SpyEncoder.fingerprint}.{ending}"
    damage(file)
    trainer = initialized()
    assert len(encoder.encoded) == encoded
    assert file.name in caplog.text
    assert trainer.reports.bank.vectors([sentence(3)]).argmax() == 3


def test_a_bank_whose_encoder_cannot_be_told_is_not_replaced_by_one_of_another_encoder(workspace, monkeypatch):
    class Default(RecordingEncoder):
        fingerprint = "0000000000000001"

    monkeypatch.setattr("nnunet_reportseg.embedding.FrozenTextEncoder", Default)
    folder = workspace.preprocessed / "report_embeddings"
    (folder / f"{SpyEncoder.fingerprint}.json").unlink()
    before = sorted(folder.iterdir())
    with pytest.raises(ReportSegError, match=rf"{SpyEncoder.fingerprint}\.safetensors.*embed -e"):
        initialized()
    assert sorted(folder.iterdir()) == before


def test_banks_of_two_encoders_demand_a_choice(workspace, monkeypatch, encoder):
    class Second(SpyEncoder):
        name, fingerprint = "second", "0000000000000002"

    from text_conditioning.bank import build_bank

    build_bank(workspace.preprocessed / "report_embeddings", Second(), ALL_SENTENCES)
    with pytest.raises(ReportSegError, match=r"second, spy.*REPORTSEG_ENCODER"):
        initialized()
    monkeypatch.setenv("REPORTSEG_ENCODER", "second")
    assert initialized().conditioning.encoder_fingerprint == Second.fingerprint


def test_a_missing_sidecar_is_refused_with_its_places(workspace):
    (workspace.raw / "reports.json").unlink()
    with pytest.raises(SidecarError, match=rf"file {workspace.raw}.*{workspace.preprocessed}.*Fix: write"):
        initialized()


def test_the_copy_in_the_preprocessed_folder_is_enough(workspace, monkeypatch, caplog):
    shutil.move(workspace.raw / "reports.json", workspace.preprocessed / "reports.json")
    initialized()
    (said,) = [message for message in caplog.messages if "is missing" in message]
    assert said.startswith(str(workspace.raw / "reports.json"))
    monkeypatch.delenv("nnUNet_raw")
    caplog.clear()
    assert set(initialized().reports.cases) == {case_name(k) for k in range(CASES)}
    assert "is missing" not in caplog.text


def test_an_absent_case_is_refused_by_name_unless_null_is_asked_for(workspace, monkeypatch):
    workspace.edit_cases(lambda cases: cases.pop(case_name(3)))
    with pytest.raises(SidecarError, match=case_name(3)):
        initialized()
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "null")
    trainer = initialized()
    assert trainer.reports.cases[case_name(3)].sentences == ()
    assert len(trainer.reports.cases[case_name(2)].sentences) == 2


def results_of(workspace):
    return list((workspace.root / "results").rglob("*"))


@pytest.mark.parametrize("name", ["resnet.ResNetD", "unet.NoNet"])
def test_an_architecture_without_a_unet_is_refused_before_anything_is_written(workspace, name):
    def change(plans):
        configuration = plans["configurations"]["3d_fullres"]["architecture"]
        configuration["network_class_name"] = f"dynamic_network_architectures.architectures.{name}"

    workspace.edit_plans(change)
    with pytest.raises(ArchitectureError, match=rf"nnUNetPlans\.json.*{name.split('.')[1]}.*Fix: use plans"):
        short_trainer()
    assert results_of(workspace) == []


def test_an_entry_without_case_is_refused_before_anything_is_written(workspace):
    workspace.edit_cases(lambda cases: cases.update(case_77={"report": None}))
    with pytest.raises(SidecarError, match="case_77"):
        short_trainer()
    assert results_of(workspace) == []


@pytest.mark.parametrize("name", ["ReportGuidedTrainer", "ReportGuidedTrainer_1epoch"])
def test_a_label_value_that_never_occurs_is_refused_before_anything_is_written(workspace, encoder, name):
    """Nothing is embedded either for a training that cannot start."""
    workspace.edit_cases(lambda cases: cases[case_name(2)]["findings"][1].update(label_values=[3]))
    for folder in (workspace.raw, workspace.preprocessed):
        workspace.edit(folder / "dataset.json", lambda dataset: dataset["labels"].update(finding=[1, 2, 3]))
    shutil.rmtree(workspace.preprocessed / "report_embeddings")
    with pytest.raises(SidecarError, match=rf"case '{case_name(2)}'.*found: 3"):
        short_trainer(name=name)
    assert results_of(workspace) == []
    assert encoder.made == []


def test_an_absent_case_is_announced_once(workspace, monkeypatch, caplog):
    workspace.edit_cases(lambda cases: cases.pop(case_name(3)))
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "null")
    initialized()
    assert sum(case_name(3) in message for message in caplog.messages) == 1


def test_another_policy_for_missing_reports_is_refused_by_value(workspace, monkeypatch):
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "ignore")
    with pytest.raises(SidecarError, match=r"(?s)REPORTSEG_MISSING_REPORT.*ignore"):
        initialized()


# --------------------------------------------------------------------------------------------------------- redispatch


def test_a_second_installation_of_the_hooks_changes_nothing():
    install_redispatch()
    before = [getattr(nnUNetPredictor, name) for name in PREDICTING_METHODS]
    loading = run_training.load_pretrained_weights
    install_redispatch()
    assert [getattr(nnUNetPredictor, name) for name in PREDICTING_METHODS] == before
    assert run_training.load_pretrained_weights is loading
    assert not hasattr(before[0].__wrapped__, "__wrapped__")


def test_plain_networks_predict_and_load_as_before(workspace, tmp_path):
    install_redispatch()
    trainer = initialized(name="nnUNetTrainer")
    file = str(tmp_path / "plain.pth")
    trainer.save_checkpoint(file)
    other = short_trainer(name="nnUNetTrainer")
    torch.manual_seed(5)
    maybe_load_checkpoint(other, False, False, file)
    saved = trainer.network.state_dict()
    loaded = {key: value for key, value in other.network.state_dict().items() if ".seg_layers." not in key}
    assert all(torch.equal(saved[key], value) for key, value in loaded.items())

    predictor = nnUNetPredictor(use_gaussian=False, use_mirroring=False, device=torch.device("cpu"), allow_tqdm=False)
    trainer.set_deep_supervision_enabled(False)
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        "nnUNetTrainer",
        None,
    )
    logits = predictor.predict_sliding_window_return_logits(patch()[0])
    assert type(predictor) is nnUNetPredictor
    assert not isinstance(predictor.network, ReportGuidedUNet)
    with torch.no_grad():
        torch.testing.assert_close(logits.float(), trainer.network(patch())[0], atol=2e-2, rtol=2e-2)


def test_distractors_find_room_in_the_padding_and_reach_training_alone(workspace, monkeypatch):
    def add(cases):
        for number, case in enumerate(cases.values()):
            case["report"] += f" {said[number]} {said[number + CASES]}"

    said = [f"Nodule number {number} is seen." for number in range(2 * CASES)]  # no side: they may go to other cases
    bank_with(workspace, [*ALL_SENTENCES, *bank_sentences(said)])
    workspace.edit_cases(add)
    workspace.edit_cases(lambda cases: [case["findings"].pop() for case in cases.values()])
    recipe = {"distractors": 1.0, "report_dropout": 0.0, "sub_report": 0.0}
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": recipe}}))
    trainer = initialized("all")
    fillers = len(trainer.reports.filler_sentences(list(trainer.reports.cases)))
    assert 0 < fillers < MOST_DISTRACTORS
    room = trainer.conditioning.sentences
    assert 4 + fillers <= room < 4 + fillers + 8  # up to 4 sentences and all distractors, in steps of 8
    (batch,) = batches(trainer, 1)
    lengths = {}
    for supervise in (True, False):
        with trainer._conditioned_on(batch, supervise=supervise):
            lengths[supervise] = (~trainer.network.report.padding).sum(dim=1)
            assert trainer.network.report.padding.shape[1] == 8 * -(-int(lengths[supervise].max()) // 8) <= room
    assert (lengths[True] > lengths[False]).all()


@pytest.mark.parametrize("whitening", [True, False])
def test_sentence_vectors_are_noisy_in_training_alone_and_only_where_they_are_whitened(workspace, whitening):
    recipe = {"text_noise": 1.0, "whitening": whitening, "sub_report": 0.0, "report_dropout": 0.0, "distractors": 0.0}
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": recipe}}))
    trainer = initialized("all")
    (batch,) = batches(trainer, 1)

    def vectors(supervise):
        with trainer._conditioned_on(batch, supervise=supervise):
            return trainer.network.report.vectors

    assert torch.equal(vectors(False), vectors(False))
    assert torch.equal(vectors(True), vectors(True)) is not whitening


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_fillers_are_invented_in_training_alone_and_findings_never(workspace, probability):
    recipe = {"invented_fillers": probability, "distractors": 0.0, "sub_report": 0.0, "report_dropout": 0.0}
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": recipe | {"text_noise": 0.0}}}))
    said = [sentence(number).replace("in the left lung", "again") for number in range(CASES)]
    bank_with(workspace, [*ALL_SENTENCES, *bank_sentences(said)])

    def add(cases):
        for case, filler in zip(cases.values(), said, strict=True):
            case["report"] += f" {filler}"

    workspace.edit_cases(add)
    trainer = initialized("all")
    (batch,) = batches(trainer, 1)
    read = {}
    for supervise in (True, False):
        with trainer._conditioned_on(batch, supervise=supervise):
            read[supervise] = trainer.network.report.vectors.clone()
    changed = (read[True] != read[False]).any(dim=-1)
    assert changed[:, 2].all() == changed[:, 2].any() == (probability > 0)
    assert not changed[:, [0, 1]].any()


# ------------------------------------------------------------------------------------------------------- alignment


def test_alignment_is_computed_trained_and_logged(workspace):
    workspace.edit_plans(lambda plans: plans.update({PLANS_KEY: {"recipe": {"alignment_weight": 0.5}}}))
    trainer = initialized("all")
    trainer.oversample_foreground_percent = 1.0
    before = state_of(trainer.network)
    for batch in batches(trainer, 6):
        trainer.train_step(batch)
    changed = {key for key, value in trainer.network.state_dict().items() if not torch.equal(before[key], value)}
    assert "report_adapter.alignment.voxels.weight" in changed
    assert "report_adapter.alignment.sentences.weight" in changed
    means = trainer.loss.means()
    assert means["alignment"] > 0
    assert means["attention"] > 0


def test_negatives_are_the_other_side_the_denial_and_other_findings_and_never_what_the_report_says():
    sidecar = Sidecar.from_cases(
        {"a": {"report": "Nodule 1 in the left lung.", "findings": [{"id": "1", "text": "Nodule 1 in the left lung."}]}}
    )
    report = read_case_report(sidecar, "a")
    report = replace(report, findings=(CaseFinding("1", (1,), (0,)),))
    others = [*report.sentences, *read_case_report(Sidecar.from_cases({"b": {"report": "Nodule 2."}}), "b").sentences]
    negatives = negatives_of(report, others, 8)
    assert [s.text for s in negatives.sentences] == [
        "Nodule 1 in the right lung.",
        "No evidence of nodule 1 in the left lung.",
        "Nodule 2.",
    ]
    assert len(negatives_of(report, others, 1).sentences) == 1
