"""The report of the right case, and the right place, reach the network in every mode of nnU-Net."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from nnunet_reportseg.conditioning import PLANS_KEY, TrainingRecipe
from nnunet_reportseg.errors import DatasetError, GeometryError, ModelMismatchError, ReportContextError, SidecarError
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.network.report_guided_unet import unwrap
from nnunet_reportseg.sidecar import Sidecar
from nnunet_reportseg.training import report_guided_trainer
from tests.integration.conftest import make_trainer
from tests.spy_workspace import CASES, DATASET, case_name, sentence, write_case

ALL = set(range(CASES))


@pytest.mark.parametrize("configuration", ["3d_fullres", "2d"])
@pytest.mark.parametrize(("workers", "mirrors"), [("0", True), ("2", True), ("0", False)])
def test_training_and_validation_steps(
    spy_env, spy, no_intensity_augmentation, monkeypatch, workers, mirrors, configuration
):
    recipe = TrainingRecipe(paired_mirroring=0.5 if mirrors else 0.0)
    monkeypatch.setattr(report_guided_trainer.ReportGuidedTrainer, "recipe", recipe)
    monkeypatch.setenv("nnUNet_n_proc_DA", workers)
    trainer = make_trainer("all", configuration)
    trainer.disable_checkpointing = True
    trainer.run_training()
    spy.check(null_allowed=True)
    assert any(not reported for _, reported in spy.passes) or len(spy.passes) < 20
    assert len(spy.cases) > 2
    assert any(spy.mirrored) == mirrors
    assert not all(spy.mirrored)
    assert spy.worst_coordinate < 1e-4


def test_final_validation_and_val_flag(spy_env, spy_model, spy, monkeypatch):
    monkeypatch.setattr(report_guided_trainer, "audit_validation_fold", lambda trainer: None)  # reads altered reports
    trainer = make_trainer(0)
    trainer.load_checkpoint(str(spy_model / "fold_0" / "checkpoint_final.pth"))
    trainer.perform_actual_validation(False)
    spy.check()
    assert spy.cases == {k for k in range(CASES) if k % 2 == 1}
    assert spy.worst_coordinate < 1e-5
    assert unwrap(trainer.network).report is None


def _predictor(spy_model, folds=(0,), cls=nnUNetPredictor):
    predictor = cls(device=torch.device("cpu"), allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(spy_model), folds)
    return predictor


@pytest.mark.parametrize("folds", [(0,), (0, 1)])
@pytest.mark.parametrize(("sequential", "mirrors"), [(False, False), (True, False), (True, True)])
def test_stock_predictor_reads_the_reports_of_the_input_folder(
    spy_env, spy_model, spy, tmp_path, sequential, mirrors, folds
):
    predictor = _predictor(spy_model, folds)
    predictor.plans_manager.plans[PLANS_KEY]["recipe"]["paired_mirroring"] = 0.5 if mirrors else 0.0
    images = str(spy_env / "raw" / DATASET / "imagesTs")
    if sequential:
        predictor.predict_from_files_sequential(images, str(tmp_path))
    else:
        predictor.predict_from_files(
            images, str(tmp_path), num_processes_preprocessing=2, num_processes_segmentation_export=1
        )
    assert isinstance(predictor, ReportGuidedPredictor)
    spy.check()
    assert spy.cases == ALL
    assert sum(spy.mirrored) == (len(spy.mirrored) / 2 if mirrors else 0)
    assert spy.worst_coordinate < 1e-5
    reference = sitk.ReadImage(f"{images}/{case_name(0)}_0000.nii.gz")
    result = sitk.ReadImage(str(tmp_path / f"{case_name(0)}.nii.gz"))
    assert result.GetDirection() == reference.GetDirection()
    assert result.GetSize() == reference.GetSize()


def test_parts_and_skipping_of_finished_cases_keep_the_order(spy_env, spy_model, spy, tmp_path):
    predictor = _predictor(spy_model)
    images = str(spy_env / "raw" / DATASET / "imagesTs")
    (tmp_path / f"{case_name(1)}.nii.gz").touch()
    predictor.predict_from_files(
        images,
        str(tmp_path),
        overwrite=False,
        num_processes_preprocessing=1,
        num_processes_segmentation_export=1,
        num_parts=2,
        part_id=1,
    )
    spy.check()
    assert spy.cases == {3, 5}


def test_arrays_with_announced_cases(spy_env, spy_model, spy):
    predictor = _predictor(spy_model, cls=ReportGuidedPredictor)
    predictor.use_reports(Sidecar.load(spy_env / "raw" / DATASET / "reports.json"))
    reader = predictor.plans_manager.image_reader_writer_class()
    folder = spy_env / "raw" / DATASET / "imagesTs"
    read = [reader.read_images([str(folder / f"{case_name(k)}_{c:04d}.nii.gz") for c in range(4)]) for k in (4, 2)]
    predictor.queue_cases([case_name(4), case_name(2)])
    predictor.predict_from_list_of_npy_arrays(
        [image for image, _ in read], None, [properties for _, properties in read], None, 1, False, 1
    )
    predictor.queue_cases([case_name(2)])
    predictor.predict_single_npy_array(*read[1])
    spy.check()
    assert spy.cases == {2, 4}
    assert spy.worst_coordinate < 1e-5


def test_the_network_is_on_the_device_before_it_takes_the_report_there(spy_env, spy_model, monkeypatch):
    predictor = _predictor(spy_model, cls=ReportGuidedPredictor)
    predictor.use_reports(Sidecar.load(spy_env / "raw" / DATASET / "reports.json"))
    folder = spy_env / "raw" / DATASET / "imagesTs"
    reader = predictor.plans_manager.image_reader_writer_class()
    image, properties = reader.read_images([str(folder / f"{case_name(1)}_{c:04d}.nii.gz") for c in range(4)])
    predictor.queue_cases([case_name(1)])
    events = []
    kind = type(unwrap(predictor.network))
    move, take = kind.to, kind.set_report
    monkeypatch.setattr(kind, "to", lambda self, *to: events.append(to) or move(self, *to))
    monkeypatch.setattr(kind, "set_report", lambda self, *r, **more: events.append("report") or take(self, *r, **more))
    predictor.predict_single_npy_array(image, properties)
    assert events[:2] == [(predictor.device,), "report"]


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_an_image_with_values_that_are_no_numbers_is_refused(spy_env, spy_model, value):
    predictor = _predictor(spy_model, cls=ReportGuidedPredictor)
    predictor.use_reports(Sidecar.load(spy_env / "raw" / DATASET / "reports.json"))
    reader = predictor.plans_manager.image_reader_writer_class()
    folder = spy_env / "raw" / DATASET / "imagesTs"
    image, properties = reader.read_images([str(folder / f"{case_name(1)}_{c:04d}.nii.gz") for c in range(4)])
    image[0, 3, 2, 1] = value  # SimpleITK itself reads such voxels of NIfTI files as 0
    predictor.queue_cases([case_name(1)])
    with pytest.raises(DatasetError, match=rf"{case_name(1)}.*no numbers.*Fix:"):
        predictor.predict_single_npy_array(image, properties)


def test_arrays_without_a_case_are_refused(spy_env, spy_model):
    predictor = _predictor(spy_model)
    with pytest.raises(ReportContextError, match="queue_cases"):
        predictor.predict_single_npy_array(np.zeros((4, 8, 8, 8), np.float32), {"spacing": [1, 1, 1]})
    with pytest.raises(ReportContextError, match="set_report"):
        predictor.predict_sliding_window_return_logits(torch.zeros(4, 8, 8, 8))


def test_an_input_folder_without_sidecar_is_refused_with_the_file(spy_env, spy_model, tmp_path):
    images = tmp_path / "in"
    images.mkdir()
    write_case(images, "patient_9", 1)
    with pytest.raises(SidecarError, match=r"in/reports\.json.*Fix: put a reports\.json there"):
        _predictor(spy_model).predict_from_files_sequential(str(images), str(tmp_path))


@pytest.mark.parametrize("method", ["predict_from_files", "predict_from_files_sequential"])
@pytest.mark.parametrize("reports", [None, "{", '{"reportseg_version": 1, "cases": {}}'])
def test_a_refused_prediction_writes_nothing(spy_env, spy_model, tmp_path, method, reports):
    images, out = tmp_path / "in", tmp_path / "out"
    images.mkdir()
    out.mkdir()
    write_case(images, "patient_9", 1)
    if reports is not None:
        (images / "reports.json").write_text(reports)
    with pytest.raises(SidecarError, match=r"reports\.json"):
        getattr(_predictor(spy_model), method)(str(images), str(out))
    assert not list(out.iterdir())


def test_nnunet_notes_what_it_was_called_with_and_lists_cases_once(spy_env, spy_model, spy, tmp_path, capsys):
    predictor = _predictor(spy_model)
    images = str(spy_env / "raw" / DATASET / "imagesTs")
    predictor.predict_from_files_sequential(images, str(tmp_path), overwrite=False)
    spy.check()
    spy.passes.clear()
    predictor.predict_from_files_sequential(images, str(tmp_path), overwrite=False)
    assert not spy.passes  # every mask was there
    arguments = json.loads((tmp_path / "predict_from_raw_data_args.json").read_text())
    assert arguments["list_of_lists_or_source_folder"] == images
    assert arguments["overwrite"] is False
    assert "save_probabilities" in arguments
    assert capsys.readouterr().out.count("cases in the source folder") == 2


def test_a_second_folder_is_read_with_its_own_reports(spy_env, spy_model, spy, tmp_path):
    predictor = _predictor(spy_model)
    for number in (2, 3):
        images = tmp_path / str(number)
        images.mkdir()
        write_case(images, "patient", number)
        sidecar = {"reportseg_version": 1, "cases": {"patient": {"report": sentence(number)}}}
        (images / "reports.json").write_text(json.dumps(sidecar))
        predictor.predict_from_files_sequential(str(images), str(tmp_path))
    spy.check()
    assert spy.cases == {2, 3}


def test_a_new_sentence_needs_the_encoder_and_names_case_and_remedy(spy_env, spy_model, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    images = tmp_path / "in"
    images.mkdir()
    write_case(images, "patient_9", 1)
    (images / "reports.json").write_text('{"reportseg_version": 1, "cases": {"patient_9": {"report": "New words."}}}')
    with pytest.raises(ModelMismatchError, match=r"(?s)patient_9.*--encoder"):
        _predictor(spy_model).predict_from_files_sequential(str(images), str(tmp_path))


def test_an_image_with_another_left_right_axis_is_refused(spy_env, spy_model, tmp_path):
    images = tmp_path / "in"
    images.mkdir()
    write_case(images, case_name(0), 0)
    for file in images.glob("*.nii.gz"):
        sitk.WriteImage(sitk.PermuteAxes(sitk.ReadImage(str(file)), (1, 0, 2)), str(file))
    predictor = _predictor(spy_model, cls=ReportGuidedPredictor)
    predictor.use_reports(Sidecar.load(spy_env / "raw" / DATASET / "reports.json"))
    with pytest.raises(GeometryError, match=case_name(0)):
        predictor.predict_from_files_sequential(str(images), str(tmp_path))


def test_an_image_stored_from_the_other_side_is_segmented_the_same(spy_env, spy_model):
    """Left-right is not mirrored in training: the network is shown the patient as it knows patients."""
    predictor = _predictor(spy_model, cls=ReportGuidedPredictor)
    # nnU-Net's weights of tiles are off centre by half a voxel, and too small for half precision in corners
    predictor.tile_step_size, predictor.use_gaussian = 1, False
    _stir(predictor)
    predictor.use_reports(Sidecar.load(spy_env / "raw" / DATASET / "reports.json"))
    trained = predictor._conditioning.patient_axes
    image = torch.rand((4, 16, 8, 16), generator=torch.Generator().manual_seed(1))
    predictor.queue_cases([case_name(1)], [trained])
    expected = predictor.predict_logits_from_preprocessed_data(image)
    assert expected.std() > 0.01
    for row, axis in enumerate(trained.axes):
        signs = tuple(-sign if other == row else sign for other, sign in enumerate(trained.signs))
        predictor.queue_cases([case_name(1)], [replace(trained, signs=signs)])
        found = predictor.predict_logits_from_preprocessed_data(image.flip(axis + 1))
        torch.testing.assert_close(found.flip(axis + 1), expected, atol=1e-2, rtol=1e-2)  # half precision


def test_the_context_is_cleared_also_after_an_error(spy_env, spy_model, monkeypatch, tmp_path):
    predictor = _predictor(spy_model, cls=ReportGuidedPredictor)

    def fail(*args, **kwargs):
        raise KeyError("broken")

    monkeypatch.setattr(ReportGuidedPredictor, "_internal_maybe_mirror_and_predict", fail)
    with pytest.raises(KeyError):
        predictor.predict_from_files_sequential(str(spy_env / "raw" / DATASET / "imagesTs"), str(tmp_path))
    assert unwrap(predictor.network).report is None


def test_each_fold_whitens_with_its_own_sentences(spy_env, spy_model):
    """The mean over folds does not depend on which fold's weights were loaded last."""
    predictor = _predictor(spy_model, (0, 1), cls=ReportGuidedPredictor)
    assert not torch.equal(*(p["report_adapter.whitening.mean"] for p in predictor.list_of_parameters))
    _stir(predictor)
    predictor.use_reports(Sidecar.load(spy_env / "raw" / DATASET / "reports.json"))
    results = []
    for _ in range(2):
        predictor.queue_cases([case_name(1)])
        results.append(predictor.predict_logits_from_preprocessed_data(torch.ones(4, 8, 8, 8)))
    torch.testing.assert_close(*results, atol=0, rtol=0)


def _stir(predictor):
    """Weights that listen: a freshly trained network is nearly deaf."""
    generator = torch.Generator().manual_seed(0)
    for parameters in predictor.list_of_parameters:
        for name, value in parameters.items():
            if name.startswith("report_adapter.stages") and value.dtype == torch.float32:
                value += 0.3 * torch.randn(value.shape, generator=generator)
