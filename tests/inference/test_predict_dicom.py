"""DICOM series are predicted as the same volumes in NIfTI are, by both kinds of models."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.cli.main import main
from nnunet_reportseg.errors import DatasetError, SidecarError
from nnunet_reportseg.finding_files import read_finding_index
from nnunet_reportseg.grid import Grid
from nnunet_reportseg.inference.dicom_input import find_series, require_dicom_model
from nnunet_reportseg.inference.predict_folder import PredictionOptions, predict_folder
from tests.convert.dicom_files import DIRECTION, write_series
from tests.inference.dicom_places import edit_headers, places_of_mask, places_of_segment
from tests.inference.smallest_component import note_smallest_component
from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import DATASET, SHAPE, case_name, write_workspace

OPTIONS = PredictionOptions(folds=(0,), mirroring=False, device="cpu", step_size=1.0)
AXIAL, OBLIQUE = case_name(0), case_name(1)


def scan(number: int, direction: np.ndarray) -> sitk.Image:
    voxels = np.random.default_rng(number).integers(-1000, 1000, SHAPE).astype(np.int16)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((0.9, 1.1, 2.0))
    image.SetOrigin((-31.0, 17.0, 205.0))
    image.SetDirection(direction.ravel().tolist())
    return image


SCANS = {AXIAL: scan(0, np.eye(3)), OBLIQUE: scan(1, DIRECTION)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace of one channel, and hardly trained models of both kinds in it."""
    root = tmp_path_factory.mktemp("dicom")
    write_workspace(root, channels=1)
    models = {}
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, root)
        for name in ("ReportGroundingTrainer", "ReportGuidedTrainer"):
            trainer = make_trainer(0, name=name)
            trainer.num_epochs, trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 4, 1
            trainer.run_training()
            models[name] = Path(trainer.output_folder_base)
    note_smallest_component(models["ReportGroundingTrainer"], None)
    return root, models


@pytest.fixture
def models(trained, monkeypatch):
    set_environment(monkeypatch, trained[0])
    return trained[1]


@pytest.fixture
def inputs(trained, tmp_path):
    """The same scans as DICOM series and as NIfTI, both with reports."""
    for kind in ("dicom", "nifti"):
        (tmp_path / kind).mkdir()
        shutil.copy(trained[0] / "raw" / DATASET / "imagesTs" / "reports.json", tmp_path / kind)
    for case, image in SCANS.items():
        write_series(tmp_path / "dicom" / case, image=image, reverse=case == AXIAL)
        sitk.WriteImage(image, str(tmp_path / "nifti" / f"{case}_0000.nii.gz"))
    return tmp_path


def predict(images, out, model, **changes):
    reports = changes.pop("reports", None)
    predict_folder(images, out, model=model, reports=reports, options=replace(OPTIONS, **changes))


def assert_same_image(one: Path, other: Path) -> None:
    images = [sitk.ReadImage(str(file)) for file in (one, other)]
    assert Grid.of_image(images[0]).difference(Grid.of_image(images[1])) is None
    assert np.array_equal(*map(sitk.GetArrayFromImage, images))


def test_findings_of_series_are_those_of_the_same_volumes(inputs, models, tmp_path):
    for kind in ("dicom", "nifti"):
        predict(inputs / kind, tmp_path / "out" / kind, models["ReportGroundingTrainer"])
    for case, image in SCANS.items():
        of_dicom = read_finding_index(tmp_path / "out" / "dicom" / case, case=case)
        of_nifti = read_finding_index(tmp_path / "out" / "nifti" / case, case=case)
        assert list(of_dicom) == ["a", "b"]
        for finding, file in of_dicom.items():
            assert_same_image(file, of_nifti[finding])
            assert Grid.of_image(sitk.ReadImage(str(file))).difference(Grid.of_image(image)) is None
        assert sitk.GetArrayFromImage(sitk.ReadImage(str(of_dicom["a"]))).any()


def test_label_maps_of_series_are_those_of_the_same_volumes(inputs, models, tmp_path):
    for kind in ("dicom", "nifti"):
        predict(inputs / kind, tmp_path / "out" / kind, models["ReportGuidedTrainer"])
    for case in SCANS:
        assert_same_image(*(tmp_path / "out" / kind / f"{case}.nii.gz" for kind in ("dicom", "nifti")))


def test_a_folder_that_is_a_series_is_one_case_of_its_name(inputs, models, tmp_path):
    shutil.copy(inputs / "dicom" / "reports.json", inputs / "dicom" / AXIAL)
    predict(inputs / "dicom" / AXIAL, tmp_path / "out", models["ReportGroundingTrainer"])
    assert [folder.name for folder in (tmp_path / "out").iterdir()] == [AXIAL]


def test_a_part_holds_its_own_cases(inputs, models, tmp_path):
    (inputs / "dicom" / AXIAL / "7_3.dcm").unlink()  # a gap that the other part does not see
    predict(inputs / "dicom", tmp_path / "out", models["ReportGroundingTrainer"], num_parts=2, part_id=1)
    assert [folder.name for folder in (tmp_path / "out").iterdir()] == [OBLIQUE]


def test_a_gap_and_a_case_without_report_are_named_before_anything_is_written(inputs, models, tmp_path):
    (inputs / "dicom" / OBLIQUE / "7_4.dcm").unlink()
    with pytest.raises(DatasetError, match=f"case '{OBLIQUE}'.*has a gap"):
        predict(inputs / "dicom", tmp_path / "out", models["ReportGroundingTrainer"])
    write_series(inputs / "dicom" / OBLIQUE, image=SCANS[OBLIQUE])
    (inputs / "dicom" / "reports.json").write_text(json.dumps({"reportseg_version": 1, "cases": {}}))
    for model in models.values():
        with pytest.raises(SidecarError, match=AXIAL):
            predict(inputs / "dicom", tmp_path / "out", model)
    assert not (tmp_path / "out").exists()


def test_series_are_not_replaced_by_their_masks(inputs, models, tmp_path):
    folder = inputs / "dicom"
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(DatasetError, match="is no prediction"):
        predict(folder, folder, models["ReportGroundingTrainer"])
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_the_command_writes_what_viewers_of_series_show(inputs, models, tmp_path):
    out = tmp_path / "out"
    arguments = ["predict", "-i", str(inputs / "dicom"), "-o", str(out), "-m", str(models["ReportGroundingTrainer"])]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "-f", "0", "-device", "cpu", "--disable_tta", "--combined", "--dicom-seg"])
    assert ended.value.code == 0
    for case in SCANS:
        index = json.loads((out / case / "index.json").read_text(encoding="utf-8"))
        seg = index["dicom_seg"]
        assert list(seg["segments"].values()) == [entry["id"] for entry in index["findings"] if not entry["empty"]]
        assert "a" in seg["segments"].values()
        for number, finding in seg["segments"].items():
            places = places_of_segment(out / case / seg["file"], int(number))
            assert places == places_of_mask(read_finding_index(out / case, case=case)[finding])
        assert (out / case / index["combined"]["file"]).is_file()


def test_what_gets_no_dicom_seg_is_refused_before_anything_is_written(inputs, models, tmp_path):
    grounding = models["ReportGroundingTrainer"]
    with pytest.raises(DatasetError, match=r"the input holds none.*leave --dicom-seg out"):
        predict(inputs / "nifti", tmp_path / "out", grounding, dicom_seg=True)
    with pytest.raises(DatasetError, match=r"does not answer for single findings.*leave --dicom-seg out"):
        predict(inputs / "dicom", tmp_path / "out", models["ReportGuidedTrainer"], dicom_seg=True)
    edit_headers((inputs / "dicom" / OBLIQUE).iterdir(), FrameOfReferenceUID=None)
    with pytest.raises(DatasetError, match=f"case '{OBLIQUE}'.*Frame Of Reference UID"):
        predict(inputs / "dicom", tmp_path / "out", grounding, dicom_seg=True)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_images_says_what_may_be_in_it(inputs, models, tmp_path):
    (inputs / "empty" / "case").mkdir(parents=True)
    (inputs / "empty" / "case" / "readme.txt").write_text("no DICOM")
    with pytest.raises(DatasetError, match=r"no images with ending \.nii\.gz, and no DICOM series"):
        predict(inputs / "empty", tmp_path / "out", models["ReportGroundingTrainer"])


def test_folders_of_cases_are_found_and_others_left_out(inputs):
    folder = inputs / "dicom"
    for name in ("report_embeddings", ".hidden", "no_series"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("no DICOM")
    assert find_series(folder) == {name: folder / name for name in (AXIAL, OBLIQUE, "no_series")}
    assert find_series(folder / AXIAL) == {AXIAL: folder / AXIAL}
    assert find_series(inputs / "nifti") == {}
    shutil.copy(folder / AXIAL / "7_0.dcm", folder)
    with pytest.raises(DatasetError, match="DICOM files lie in the folder and in folders of cases"):
        find_series(folder)


@pytest.mark.parametrize(
    ("dataset_json", "named"),
    [
        ({"channel_names": {"0": "CT", "1": "PET"}, "file_ending": ".nii.gz"}, "one channel.*with 2.*CT, PET"),
        ({"channel_names": {"0": "CT"}, "file_ending": ".png"}, r"other images than volumes.*\.png"),
    ],
)
def test_models_that_take_no_series_are_refused(dataset_json, named, tmp_path):
    with pytest.raises(DatasetError, match=named):
        require_dicom_model(dataset_json, tmp_path)
