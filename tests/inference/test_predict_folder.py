"""``predict_folder`` on the spy workspace: what it announces and what it refuses before it writes anything."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace

import pytest
import torch

from nnunet_reportseg.conditioning import PLANS_KEY
from nnunet_reportseg.errors import DatasetError, DeviceError, ModelMismatchError, ReportSegError, SidecarError
from nnunet_reportseg.inference.predict_folder import PredictionOptions, predict_folder
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from tests.spy_workspace import DATASET, case_name

OPTIONS = PredictionOptions(
    folds=(0,), mirroring=False, device="cpu", preprocessing_threads=2, export_threads=1, step_size=1.0
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


def _warnings(caplog, case):
    return sum(record.levelno == logging.WARNING and case in record.getMessage() for record in caplog.records)


def test_a_case_without_report_is_announced_once(images, spy_model, tmp_path, monkeypatch, caplog):
    edit_cases(images, lambda cases: (cases.pop(case_name(0)), cases.update({case_name(1): {"report": None}})))
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "null")
    with caplog.at_level(logging.WARNING):
        predict_folder(images, tmp_path / "out", model=spy_model, reports=None, options=OPTIONS)
    for number, times in enumerate((1, 1, 0)):
        assert _warnings(caplog, case_name(number)) == times
    assert (tmp_path / "out" / f"{case_name(1)}.nii.gz").is_file()


def test_without_any_sidecar_null_reports_are_a_choice(images, spy_model, tmp_path, monkeypatch, caplog):
    (images / "reports.json").unlink()
    with pytest.raises(SidecarError, match=r"reports\.json"):
        predict_folder(images, tmp_path / "out", model=spy_model, reports=None, options=OPTIONS)
    assert not (tmp_path / "out").exists()
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "null")
    predict_folder(images, tmp_path / "out", model=spy_model, reports=None, options=OPTIONS)
    for number in range(3):
        assert _warnings(caplog, case_name(number)) == 1
        assert (tmp_path / "out" / f"{case_name(number)}.nii.gz").is_file()


def test_a_file_in_the_place_of_the_output_folder_is_named(images, spy_model, tmp_path):
    file = tmp_path / "out"
    file.touch()
    with pytest.raises(DatasetError, match=rf"{file}: the folder for the segmentations is a file\. Fix: .*-o"):
        predict_folder(images, file, model=spy_model, reports=None, options=OPTIONS)


def test_an_image_that_ends_too_early_is_no_image_with_zeros(images, spy_model, tmp_path):
    file = images / f"{case_name(1)}_0000.nii.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(0.9 * len(whole))])
    with pytest.raises(DatasetError, match=rf"{case_name(1)}.*{file}.*the image cannot be read.*Fix:"):
        predict_folder(images, tmp_path / "out", model=spy_model, reports=None, options=OPTIONS)
    assert not list(tmp_path.rglob("out/*"))  # nor the case before it


@pytest.fixture
def predictor(spy_model):
    """nnU-Net's own interface to the model."""
    predictor = ReportGuidedPredictor(tile_step_size=1.0, use_mirroring=False, device=torch.device("cpu"))
    predictor.initialize_from_trained_model_folder(str(spy_model), (0,), "checkpoint_final.pth")
    return predictor


def test_nnunets_own_prediction_refuses_an_image_that_ends_too_early(images, predictor, tmp_path):
    (tmp_path / "out").mkdir()
    file = images / f"{case_name(1)}_0000.nii.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(0.9 * len(whole))])
    with pytest.raises(DatasetError, match=rf"{case_name(1)}.*{file}.*the image cannot be read.*Fix:"):
        predictor.predict_from_files_sequential(str(images), str(tmp_path / "out"))
    assert not [file for file in (tmp_path / "out").iterdir() if file.suffix == ".gz"]  # nor the case before it


def test_nnunets_own_prediction_goes_without_a_sidecar_where_that_is_chosen(images, predictor, tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    (images / "reports.json").unlink()
    with pytest.raises(SidecarError, match=r"reports\.json.*Fix: put"):
        predictor.predict_from_files_sequential(str(images), str(tmp_path / "out"))
    monkeypatch.setenv("REPORTSEG_MISSING_REPORT", "null")
    predictor.predict_from_files_sequential(str(images), str(tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 3


@pytest.fixture
def model(spy_model, tmp_path):
    """A copy of the model that a test may damage."""
    return shutil.copytree(spy_model, tmp_path / "model", ignore=shutil.ignore_patterns("validation", "*.txt"))


def edit_json(file, change):
    data = json.loads(file.read_text())
    change(data)
    file.write_text(json.dumps(data))


def edit_checkpoint(file, change):
    checkpoint = torch.load(file, weights_only=False)
    change(checkpoint)
    torch.save(checkpoint, file)


CHECKPOINT = "fold_0/checkpoint_final.pth"


def block_of(checkpoint):
    return checkpoint["init_args"]["plans"][PLANS_KEY]


DAMAGES = {
    "plans are no JSON": ("plans.json", lambda file: file.write_text("{"), ModelMismatchError, ["JSON"]),
    "plans are a list": ("plans.json", lambda file: file.write_text("[]"), ModelMismatchError, ["object"]),
    "plans are no text": ("plans.json", lambda file: file.write_bytes(b"\x80"), ModelMismatchError, ["UTF-8"]),
    "plans lack the configuration": (
        "plans.json",
        lambda file: edit_json(file, lambda plans: plans["configurations"].pop("3d_fullres")),
        ModelMismatchError,
        ["3d_fullres"],
    ),
    "a block of a wrong type": (
        "plans.json",
        lambda file: edit_json(file, lambda plans: plans[PLANS_KEY].update(text_dim="16")),
        ModelMismatchError,
        ["text_dim", "'16'"],
    ),
    "a block that does not fit the weights": (
        "plans.json",
        lambda file: edit_json(file, lambda plans: plans[PLANS_KEY]["adapter"].update(heads=2)),
        ModelMismatchError,
        ["adapter", "heads=2", CHECKPOINT],
    ),
    "dataset.json is gone": ("dataset.json", lambda file: file.unlink(), ModelMismatchError, ["dataset.json"]),
    "dataset.json without labels": (
        "dataset.json",
        lambda file: edit_json(file, lambda dataset: dataset.pop("labels")),
        DatasetError,
        ["labels"],
    ),
    "a checkpoint is cut": (
        CHECKPOINT,
        lambda file: file.write_bytes(file.read_bytes()[:-100]),
        ModelMismatchError,
        ["damaged"],
    ),
    "a checkpoint is empty": (CHECKPOINT, lambda file: file.write_bytes(b""), ModelMismatchError, ["damaged"]),
    "a checkpoint is a text": (CHECKPOINT, lambda file: file.write_text("hello"), ModelMismatchError, ["damaged"]),
    "a checkpoint is something else": (
        CHECKPOINT,
        lambda file: torch.save([1, 2], file),
        ModelMismatchError,
        ["no checkpoint of nnU-Net"],
    ),
    "a checkpoint of another encoder": (
        CHECKPOINT,
        lambda file: edit_checkpoint(file, lambda c: block_of(c).update(encoder_fingerprint="feedfeedfeedfeed")),
        ModelMismatchError,
        ["encoder_fingerprint", "feedfeedfeedfeed"],
    ),
    "a trainer that is not there": (
        CHECKPOINT,
        lambda file: edit_checkpoint(file, lambda c: c.update(trainer_name="ReportGuidedTrainerX")),
        DatasetError,
        ["ReportGuidedTrainerX", "ReportGuidedTrainer_5epochs"],
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_refused_by_file_and_nothing_is_written(damage, images, model, tmp_path):
    name, change, error, parts = DAMAGES[damage]
    change(model / name)
    with pytest.raises(error) as caught:
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=OPTIONS)
    for part in (name.rpartition("/")[2] if error is ModelMismatchError else "", "Fix: ", *parts):
        assert part in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_folds_of_different_encoders_are_not_mixed(images, model, tmp_path):
    edit_checkpoint(
        model / "fold_1" / "checkpoint_final.pth", lambda c: block_of(c).update(encoder_fingerprint="feedfeedfeedfeed")
    )
    with pytest.raises(ModelMismatchError, match=r"fold_1.*feedfeedfeedfeed"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=replace(OPTIONS, folds=None))


@pytest.mark.parametrize("device", ["cuda:0", "gpu", ""])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device, images, model, tmp_path):
    with pytest.raises(DeviceError, match=rf"cpu.*{device}"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=replace(OPTIONS, device=device))


@pytest.mark.parametrize("fold", [7, "all"])
def test_a_fold_that_was_not_trained_is_refused_with_those_that_were(fold, images, model, tmp_path):
    with pytest.raises(ReportSegError, match=rf"fold_{fold}.*fold_0.*fold_1"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=replace(OPTIONS, folds=(fold,)))


def test_a_case_with_a_missing_channel_is_refused_by_name(images, model, tmp_path):
    (images / f"{case_name(1)}_0003.nii.gz").unlink()
    with pytest.raises(DatasetError, match=rf"case '{case_name(1)}'.*3 channels, the model was trained with 4"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=OPTIONS)
    (images / f"{case_name(2)}_0000.nii.gz").unlink()
    with pytest.raises(DatasetError, match=rf"case '{case_name(2)}'.*channel 0000 is missing \(found: .*_0001"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=OPTIONS)
    assert not (tmp_path / "out").exists()


def test_a_part_predicts_its_own_cases_also_without_workers(images, model, tmp_path):
    options = replace(OPTIONS, num_parts=2, part_id=1)
    predict_folder(images, tmp_path / "out", model=model, reports=None, options=options)
    assert [file.name for file in (tmp_path / "out").glob("*.nii.gz")] == [f"{case_name(1)}.nii.gz"]


def test_a_previous_stage_that_the_configuration_has_not_is_refused(images, model, tmp_path):
    options = replace(OPTIONS, previous_stage=tmp_path / "previous")
    with pytest.raises(DatasetError, match="has no previous stage"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=options)


def test_a_cascade_needs_every_case_of_its_previous_stage(images, model, tmp_path, monkeypatch):
    stage = property(lambda self: "3d_lowres")
    monkeypatch.setattr(
        "nnunetv2.utilities.plans_handling.plans_handler.ConfigurationManager.previous_stage_name", stage
    )
    monkeypatch.setattr(  # the adapters of this model have no channels for a previous stage
        "nnunetv2.inference.predict_from_raw_data.determine_num_input_channels", lambda *_: 4
    )
    with pytest.raises(DatasetError, match="3d_lowres"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=OPTIONS)
    (tmp_path / "previous").mkdir()
    options = replace(OPTIONS, previous_stage=tmp_path / "previous")
    with pytest.raises(DatasetError, match=rf"case '{case_name(0)}'"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=options)
    assert not (tmp_path / "out").exists()


def test_the_body_is_looked_for_in_ct_only(images, model, tmp_path):
    options = replace(OPTIONS, crop_to_body=True)
    with pytest.raises(DatasetError, match=r"no CT.*leave --crop_to_body out"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=options)
    assert not (tmp_path / "out").exists()
