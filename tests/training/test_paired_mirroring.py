"""Mirrored patients: image, place and report are mirrored together, in training and in prediction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nnunet_reportseg.case_reports import read_case_report
from nnunet_reportseg.conditioning import PLANS_KEY
from nnunet_reportseg.frames import frame_tensor, patient_frame
from nnunet_reportseg.geometry import PatientAxes
from nnunet_reportseg.inference.prediction_reports import PredictionVectors
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.report_twins import mirrored_report
from nnunet_reportseg.sidecar import Sidecar
from nnunet_reportseg.training.frame_tracking import FRAME
from nnunet_reportseg.training.paired_mirroring import MIRRORED, MirrorPatient
from nnunet_reportseg.training.sampled_reports import ReportSampling, reading_target, sampled_report
from nnunet_reportseg.training.sub_reports import (
    FINDING_VALUES,
    HAS_TWIN,
    LABEL_MAP,
    WITHOUT_REPORT,
    SampleSubReport,
)
from tests.spy_trainer import make_trainer
from tests.spy_workspace import DIM, SpyEncoder
from text_conditioning.position import patient_coordinates

SHAPE = (6, 8, 10)
AXES = PatientAxes((2, 1, 0), (1, -1, 1))
TEXT = "Nodule 3 in the left lung. No nodule 5 in the right upper lobe. The heart is normal."


def read(text, *findings):
    listed = [{"id": str(i), "text": t, "label_values": [i + 1]} for i, t in enumerate(findings)]
    return read_case_report(Sidecar.from_cases({"a": {"report": text, "findings": listed}}), "a")


def sample(**changes):
    frame = patient_frame(SHAPE, AXES.axes, AXES.signs)
    coordinates = patient_coordinates(frame_tensor(frame), SHAPE, (1, 1, 1))[0]
    segmentation = (coordinates[:1] > 0.5).to(torch.int16)
    sampled = {"image": coordinates, "segmentation": segmentation, LABEL_MAP: segmentation.clone()}
    return {FRAME: frame, HAS_TWIN: True, **sampled} | changes


@pytest.mark.parametrize("patch_axis", [2, -1])
def test_a_mirrored_sample_lies_at_the_mirrored_place(patch_axis):
    before = sample()
    image = before["image"].clone()
    after = MirrorPatient(probability=1.0, patch_axis=patch_axis)(**sample())
    assert after[MIRRORED]
    found = patient_coordinates(frame_tensor(after[FRAME]), SHAPE, (1, 1, 1))[0]
    expected = after["image"].clone()  # each voxel brings along where it was in the patient
    expected[0] = 1 - expected[0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)
    assert torch.equal(after["image"], torch.flip(image, (3,)) if patch_axis == 2 else image)
    assert torch.equal(after["segmentation"][0] > 0, after["image"][0] > 0.5)
    assert torch.equal(after[LABEL_MAP], after["segmentation"])


@pytest.mark.parametrize("change", [{HAS_TWIN: False}, {}])
def test_a_sample_stays_where_its_report_has_no_mirror_image_or_chance_says_so(change):
    before = sample(**change)
    after = MirrorPatient(probability=1.0 if change else 0.0, patch_axis=2)(**sample(**change))
    assert not after[MIRRORED]
    assert torch.equal(after["image"], before["image"])
    np.testing.assert_array_equal(after[FRAME], before[FRAME])


@pytest.mark.parametrize("report_dropout", [0.0, 1.0])
@pytest.mark.parametrize("has_twin", [False, True])
def test_a_sample_without_report_is_mirrored_whatever_its_report_says(report_dropout, has_twin):
    choose = SampleSubReport(report_dropout=report_dropout, sub_report=1.0)
    chosen = choose(**sample(**{HAS_TWIN: has_twin, FINDING_VALUES: ((1,),)}))
    assert chosen[WITHOUT_REPORT] == (report_dropout == 1.0)
    assert MirrorPatient(probability=1.0, patch_axis=2)(**chosen)[MIRRORED] == (has_twin or chosen[WITHOUT_REPORT])


def test_the_report_of_the_mirrored_patient():
    twin = mirrored_report(read(TEXT))
    assert [s.text for s in twin.sentences] == [
        "Nodule 3 in the right lung.",
        "No nodule 5 in the left upper lobe.",
        "The heart is normal.",
    ]
    assert [s.laterality.name for s in twin.sentences] == ["RIGHT", "LEFT", "NONE"]
    assert mirrored_report(twin) == read(TEXT)
    assert mirrored_report(read("Nodule in the left lung. Lingular nodule.")) is None


def test_a_mirrored_sample_is_read_with_what_is_left_of_the_mirrored_report():
    report = read(TEXT + " Nodule 7 in the right lung.", "Nodule 3 in the left lung.", "Nodule 7 in the right lung.")
    part = sampled_report(report, kept=(False, True), without_report=False, mirrored=True, sampling=ReportSampling())
    assert [s.text for s in part.sentences][-1] == "Nodule 7 in the left lung."
    assert "Nodule 3" not in " ".join(s.text for s in part.sentences)
    target = reading_target(torch.tensor([1, 2]).reshape(1, 1, 1, 1, 2), [part], 8)
    assert target.masks.flatten().tolist() == [1, 0, 0, 1]
    assert target.sentences[0].sum(1).tolist() == [0, 1]
    assert target.sentences[0, 1, 2]


def test_training_mirrors_patients_and_the_label_map_with_them(spy_env, monkeypatch):
    trainer = make_trainer("all")
    adapter, recipe = trainer._settings
    monkeypatch.setattr(trainer, "_settings", (adapter, replace(recipe, paired_mirroring=0.5)))
    trainer.initialize()
    loader, _ = trainer.get_dataloaders()
    mirrored = []
    for _ in range(12):
        batch = next(loader)
        target = batch["target"][0] if isinstance(batch["target"], list) else batch["target"]
        for row, kept in enumerate(batch["kept_findings"]):
            mirrored.append(batch[MIRRORED][row])
            values = [v for v, keep in zip((1, 2), kept, strict=True) if keep or batch["without_report"][row]]
            expected = torch.isin(batch["label_map"][row, 0], torch.tensor(values, dtype=torch.int16))
            assert torch.equal(target[row, 0] > 0, expected)
            coordinates = patient_coordinates(batch[FRAME][row : row + 1], (8, 8, 8), (1, 1, 1))[0]
            left = batch["data"][row, 1]  # the left coordinate, whatever intensity augmentation made of it: its sense
            slope = torch.corrcoef(torch.stack((coordinates[0].flatten(), left.flatten())))[0, 1]
            if left.std() > 0.05:
                assert slope < 0 if mirrored[-1] else slope > 0
    assert 4 < sum(mirrored) < 20


@pytest.mark.parametrize("mirrors", [True, False])
def test_prediction_of_the_mirrored_patient_is_the_mirrored_prediction(spy_env, spy_model, mirrors):
    # nnU-Net's Gaussian is not symmetric (compute_gaussian centres it on patch_size // 2)
    predictor = ReportGuidedPredictor(device=torch.device("cpu"), allow_tqdm=False, use_gaussian=False)
    predictor.initialize_from_trained_model_folder(str(spy_model), (0,))
    recipe = predictor.plans_manager.plans[PLANS_KEY]["recipe"]
    recipe["paired_mirroring"] = 0.5 if mirrors else 0.0
    generator = torch.Generator().manual_seed(0)
    for name, parameter in predictor.list_of_parameters[0].items():
        if name.startswith("report_adapter.") and parameter.is_floating_point():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    report = read(TEXT)
    vectors = PredictionVectors(DIM)
    texts = [s.text for r in (report, mirrored_report(report)) for s in r.sentences if any(map(str.isdigit, s.text))]
    vectors.add(texts, SpyEncoder().encode(texts))
    vectors.add(["The heart is normal."], np.ones((1, DIM), np.float16))
    data = torch.randn(4, 16, 16, 16, generator=generator)
    axis = AXES.left_right + 1
    frame = patient_frame((16, 16, 16), AXES.axes, AXES.signs)
    expected = predictor._predict_under([report], vectors, frame, data).float()
    twin = predictor._predict_under([mirrored_report(report)], vectors, frame, torch.flip(data, (axis,))).float()
    difference = (torch.flip(twin, (axis,)) - expected).abs().mean() / expected.abs().mean()
    assert difference < 1e-3 if mirrors else difference > 0.01  # logits are kept in half precision
