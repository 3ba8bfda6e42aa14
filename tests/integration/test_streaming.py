"""Threads in the place of nnU-Net's processes: the same files, the right report for every case, errors that arrive."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from nnunet_reportseg.inference.streaming import StreamingPredictor
from nnunet_reportseg.sidecar import Sidecar
from tests.spy_workspace import CASES, DATASET, case_name

ALL = set(range(CASES))


def _predictor(model, kind=StreamingPredictor):
    predictor = kind(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=False, tile_step_size=1.0)
    predictor.initialize_from_trained_model_folder(str(model), (0,))
    return predictor


def _predict(predictor, images, out, threads=2, **options):
    predictor.predict_from_files(
        str(images), str(out), num_processes_preprocessing=threads, num_processes_segmentation_export=threads, **options
    )


@pytest.fixture
def images(spy_env):
    return spy_env / "raw" / DATASET / "imagesTs"


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_case_is_read_with_its_own_report(images, spy_model, spy, tmp_path, threads):
    _predict(_predictor(spy_model), images, tmp_path, threads)
    spy.check()
    assert spy.cases == ALL
    assert spy.worst_coordinate < 1e-5
    assert {file.name for file in tmp_path.glob("*.nii.gz")} == {f"{case_name(number)}.nii.gz" for number in ALL}
    assert (tmp_path / "plans.json").is_file()
    assert (tmp_path / "predict_from_raw_data_args.json").is_file()


@pytest.mark.parametrize("probabilities", [False, True])
@pytest.mark.parametrize("planned", [False, True])
def test_files_are_those_of_nnunet(images, spy_model, tmp_path, planned, probabilities):
    ours = _predictor(spy_model)
    ours.resample_as_planned = planned
    _predict(ours, images, tmp_path / "ours", save_probabilities=probabilities)
    (tmp_path / "stock").mkdir()
    stock = _predictor(spy_model, nnUNetPredictor)
    stock.predict_from_files_sequential(str(images), str(tmp_path / "stock"), save_probabilities=probabilities)
    for number in ALL:
        found, expected = (
            sitk.ReadImage(str(tmp_path / f"{kind}/{case_name(number)}.nii.gz")) for kind in ("ours", "stock")
        )
        assert found.GetDirection() == expected.GetDirection()
        assert found.GetSpacing() == expected.GetSpacing()
        np.testing.assert_array_equal(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(expected))
        if probabilities:
            arrays = [
                np.load(tmp_path / f"{kind}/{case_name(number)}.npz")["probabilities"] for kind in ("ours", "stock")
            ]
            np.testing.assert_array_equal(*arrays)


def test_arrays_come_back_in_order(spy_env, images, spy_model, spy):
    predictor = _predictor(spy_model)
    predictor.use_reports(Sidecar.load(spy_env / "raw" / DATASET / "reports.json"))
    reader = predictor.plans_manager.image_reader_writer_class()
    numbers = (4, 2, 5)
    read = [reader.read_images([str(images / f"{case_name(k)}_{c:04d}.nii.gz") for c in range(4)]) for k in numbers]
    predictor.queue_cases([case_name(number) for number in numbers])
    found = predictor.predict_from_list_of_npy_arrays(
        [image for image, _ in read], None, [properties for _, properties in read], None, 1, False, 1
    )
    spy.check()
    assert [labels.shape for labels in found] == [image.shape[1:] for image, _ in read]


def test_an_image_that_cannot_be_read_stops_the_prediction(images, spy_model, tmp_path, monkeypatch):
    folder = shutil.copytree(images, tmp_path / "in")
    predictor = _predictor(spy_model)
    queue_files = predictor.queue_files

    def queued(lists):
        queue_files(lists)
        (folder / f"{case_name(3)}_0000.nii.gz").write_bytes(b"no image")

    monkeypatch.setattr(predictor, "queue_files", queued)
    with pytest.raises(RuntimeError, match=case_name(3)):
        _predict(predictor, folder, tmp_path / "out")
    assert (tmp_path / "out" / f"{case_name(0)}.nii.gz").is_file()
    assert not (tmp_path / "out" / f"{case_name(3)}.nii.gz").exists()


def test_a_file_that_cannot_be_written_stops_the_prediction(images, spy_model, tmp_path, monkeypatch):
    predictor = _predictor(spy_model)

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(predictor.plans_manager.image_reader_writer_class, "write_seg", full)
    with pytest.raises(OSError, match="no space left"):
        _predict(predictor, images, tmp_path)
