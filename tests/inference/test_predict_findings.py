"""A grounding model answers for each finding with a mask of its own, on the image's grid."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from nnunet_reportseg.cli.main import main
from nnunet_reportseg.errors import DatasetError, ModelMismatchError, SidecarError
from nnunet_reportseg.finding_files import read_finding_index
from nnunet_reportseg.grid import Grid
from nnunet_reportseg.inference.combined_map import write_combined
from nnunet_reportseg.inference.model_folder import load_model
from nnunet_reportseg.inference.predict_findings import questions_of
from nnunet_reportseg.inference.predict_folder import PredictionOptions, predict_folder
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.sidecar import Sidecar
from tests.inference.smallest_component import note_smallest_component
from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import DATASET, SHAPE, case_name, sentence

OPTIONS = PredictionOptions(folds=(0,), mirroring=False, device="cpu", step_size=1.0)
NAME = "ReportGroundingTrainer"


@pytest.fixture(scope="module")
def trained(spy_root, tmp_path_factory):
    """A workspace with a model that was hardly trained; its masks are neither empty nor full."""
    root = tmp_path_factory.mktemp("grounding")
    for folder in ("raw", "preprocessed"):
        shutil.copytree(spy_root / folder, root / folder)
    (root / "results").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, root)
        trainer = make_trainer(0, name=NAME)
        trainer.num_epochs, trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 4, 1
        trainer.initialize()
        head = f"decoder.seg_layers.{len(trainer.network.decoder.seg_layers) - 1}"
        features = []
        trainer.network.get_submodule(head).register_forward_hook(lambda _, args, __: features.append(args[0].detach()))
        trainer.run_training()
        file = Path(trainer.output_folder) / "checkpoint_final.pth"
        checkpoint = torch.load(file, weights_only=False)
        weight, bias = (checkpoint["network_weights"][f"{head}.{name}"] for name in ("weight", "bias"))
        weight.zero_()
        weight[:, 0] = 20
        bias.fill_(-20 * features[-1][:, 0].mean())  # logits on both sides of zero, whatever was drawn
        torch.save(checkpoint, file)
        note_smallest_component(Path(trainer.output_folder_base), None)  # such masks are all specks
    return root, Path(trainer.output_folder_base)


@pytest.fixture
def model(trained, monkeypatch):
    root, folder = trained
    set_environment(monkeypatch, root)
    return folder


@pytest.fixture
def images(trained, tmp_path):
    """Cases 0 and 1 with their reports."""
    source, folder = trained[0] / "raw" / DATASET / "imagesTs", tmp_path / "in"
    folder.mkdir()
    for number in range(2):
        for file in source.glob(f"{case_name(number)}_*"):
            shutil.copy(file, folder)
    shutil.copy(source / "reports.json", folder)
    return folder


def predict(images, out, model, **changes):
    reports = changes.pop("reports", None)
    predict_folder(images, out, model=model, reports=reports, options=replace(OPTIONS, **changes))


def masks(folder: Path) -> dict[str, np.ndarray]:
    files = read_finding_index(folder, case=folder.name)
    return {name: sitk.GetArrayFromImage(sitk.ReadImage(str(file))) for name, file in files.items()}


def test_every_finding_of_every_case_has_a_mask_on_the_grid_of_the_image(images, model, tmp_path):
    predict(images, tmp_path / "out", model)
    assert sorted(folder.name for folder in (tmp_path / "out").iterdir()) == [case_name(0), case_name(1)]
    for number in range(2):
        folder = tmp_path / "out" / case_name(number)
        image = sitk.ReadImage(str(images / f"{case_name(number)}_0000.nii.gz"))
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        assert [entry["id"] for entry in index["findings"]] == ["a", "b"]
        assert index["findings"][0]["text"] == sentence(number)
        for entry in index["findings"]:
            mask = sitk.ReadImage(str(folder / entry["file"]))
            assert mask.GetSize() == image.GetSize()
            assert mask.GetDirection() == pytest.approx(image.GetDirection())
            assert mask.GetOrigin() == pytest.approx(image.GetOrigin())
            voxels = sitk.GetArrayFromImage(mask)
            assert set(np.unique(voxels)) <= {0, 1}
            assert entry["empty"] == (not voxels.any())
            assert entry["volume_ml"] == pytest.approx(voxels.sum() / 1000)  # voxels of 1 mm


@pytest.mark.parametrize(("smallest", "emptied"), [(None, False), (1e9, True)])
def test_components_far_smaller_than_any_of_training_are_removed(images, model, tmp_path, smallest, emptied):
    copy = tmp_path / "model"
    shutil.copytree(model, copy)
    note_smallest_component(copy, smallest)
    predict(images, tmp_path / "out", copy)
    index = json.loads((tmp_path / "out" / case_name(0) / "index.json").read_text(encoding="utf-8"))
    for entry in index["findings"]:
        assert entry["empty"] is emptied
        assert (entry["removed_components"] > 0) is emptied
        assert (entry["confidence"] is None) is emptied


def test_together_or_alone_a_finding_has_the_same_mask(images, model, tmp_path):
    texts = tuple(sentence(number) for number in (0, 3, 7))
    predict(images, tmp_path / "together", model, findings=texts, findings_per_batch=2)
    for number, text in enumerate(texts, start=1):
        predict(images, tmp_path / str(number), model, findings=(text,))
        for case in map(case_name, range(2)):
            together = masks(tmp_path / "together" / case)[f"asked_{number}"]
            alone = masks(tmp_path / str(number) / case)["asked_1"]
            assert np.array_equal(together, alone)


def test_a_listed_finding_is_asked_for_like_free_text():
    present, absent = "Nodule in the left lung.", "Effusion on the right."
    findings = [{"id": "1", "text": present, "label_values": [1]}, {"id": "2", "text": absent}]
    sidecar = Sidecar.from_cases({"a": {"report": f"The heart is normal. {present}", "findings": findings}})
    listed = questions_of(sidecar, ["a"], None)["a"]
    assert [question.report for question in listed] == [
        question.report for question in questions_of(sidecar, ["a"], [present, absent])["a"]
    ]
    for question in listed:
        assert [s.text for s in question.report.sentences] == ["The heart is normal.", present]


def test_free_text_needs_no_reports(images, model, tmp_path):
    (images / "reports.json").unlink()
    predict(images, tmp_path / "out", model, findings=(sentence(2),))
    assert set(masks(tmp_path / "out" / case_name(0))) == {"asked_1"}
    with pytest.raises(SidecarError):
        predict(images, tmp_path / "other", model)


def test_the_command_asks_for_what_it_is_given(images, model, tmp_path):
    out = tmp_path / "out"
    arguments = ["predict", "-i", str(images), "-o", str(out), "-m", str(model), "-f", "0", "-device", "cpu"]
    arguments += ["--disable_tta", "--finding", sentence(1), "--finding", sentence(4), "--findings-per-batch", "1"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    index = json.loads((out / case_name(1) / "index.json").read_text(encoding="utf-8"))
    assert [(entry["id"], entry["text"]) for entry in index["findings"]] == [
        ("asked_1", sentence(1)),
        ("asked_2", sentence(4)),
    ]


def test_the_stock_command_is_refused_before_it_starts_workers(images, model):
    predictor = ReportGuidedPredictor(device=torch.device("cpu"), perform_everything_on_device=False)
    load_model(predictor, model, (0,), "checkpoint_final.pth")
    predictor.use_reports(Sidecar.load(images / "reports.json"))
    files = [sorted(map(str, images.glob(f"{case_name(number)}_*"))) for number in range(2)]
    with pytest.raises(ModelMismatchError, match=rf"{case_name(0)}.*not asked for any.*--finding"):
        predictor.queue_files(files)


def test_a_model_that_is_asked_for_findings_is_not_audited(model, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["audit", "-m", str(model), "-f", "0", "-o", str(tmp_path / "out"), "-device", "cpu"])
    assert ended.value.code == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "cannot be audited" in told
    assert "findings.json" in told
    assert not (tmp_path / "out").exists()


def test_cases_that_are_there_are_kept_when_asked_to(images, model, tmp_path):
    out = tmp_path / "out"
    predict(images, out, model, findings=(sentence(1),))
    kept = (out / case_name(0) / "asked_1.nii.gz").stat().st_mtime_ns
    shutil.rmtree(out / case_name(1))
    (out / f".{case_name(1)}.partial").mkdir()
    predict(images, out, model, findings=(sentence(1),), overwrite=False)
    assert (out / case_name(0) / "asked_1.nii.gz").stat().st_mtime_ns == kept
    assert sorted(folder.name for folder in out.iterdir()) == [case_name(0), case_name(1)]


@pytest.mark.parametrize("asked", [(sentence(2),), (sentence(1), sentence(2))])
def test_other_findings_are_no_reason_to_keep_a_case(images, model, tmp_path, asked):
    out = tmp_path / "out"
    predict(images, out, model, findings=(sentence(1),))
    predict(images, out, model, findings=asked, overwrite=False)
    for folder in out.iterdir():
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        assert [entry["text"] for entry in index["findings"]] == list(asked)
        assert set(masks(folder)) == {entry["id"] for entry in index["findings"]}


def test_the_combined_map_says_which_findings_cover_each_voxel(images, model, tmp_path):
    out = tmp_path / "out"
    predict(images, out, model, combined=True)
    for folder in out.iterdir():
        combined = json.loads((folder / "index.json").read_text(encoding="utf-8"))["combined"]
        image = sitk.ReadImage(str(folder / combined["file"]))
        mask = sitk.ReadImage(str(folder / "a.nii.gz"))
        assert Grid.of_image(image).difference(Grid.of_image(mask)) is None
        label, found = sitk.GetArrayFromImage(image), masks(folder)
        assert found["a"].any()
        assert found["b"].any()
        assert list(combined["values"]) == [str(value) for value in range(1, label.max() + 1)]
        held = {"0": [], **combined["values"]}
        for finding, voxels in found.items():
            covered = [int(value) for value, findings in held.items() if finding in findings]
            assert np.array_equal(np.isin(label, covered), voxels != 0)


def test_overlaps_and_empty_findings_in_a_combined_map(tmp_path):
    voxels = {name: np.zeros((2, 3, 4), np.uint8) for name in ("a", "empty", "b")}
    voxels["a"][0], voxels["b"][:, 0] = 1, 1
    for name, mask in voxels.items():
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / f"{name}.nii.gz"))
    entry = write_combined(tmp_path, {name: tmp_path / f"{name}.nii.gz" for name in voxels})
    assert entry == {"file": "combined.nii.gz", "values": {"1": ["a"], "2": ["b"], "3": ["a", "b"]}}
    label = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "combined.nii.gz")))
    assert np.array_equal(label, voxels["a"] + 2 * voxels["b"])


def test_a_case_without_the_map_that_is_asked_for_is_predicted_again(images, model, tmp_path):
    out = tmp_path / "out"
    predict(images, out, model, findings=(sentence(1),))
    predict(images, out, model, findings=(sentence(1),), overwrite=False, combined=True)
    written = {folder: (folder / "combined.nii.gz").stat().st_mtime_ns for folder in out.iterdir()}
    predict(images, out, model, findings=(sentence(1),), overwrite=False)
    assert written == {folder: (folder / "combined.nii.gz").stat().st_mtime_ns for folder in out.iterdir()}


@pytest.mark.parametrize("text", ["", " ", "...", "a <b>nodule</b>"])
def test_a_text_that_cannot_be_asked_for_is_no_fault_of_the_sidecar(text):
    sidecar = Sidecar.from_cases({"a": {"report": "A nodule."}}, path=Path("reports.json"))
    with pytest.raises(SidecarError, match=r"what is asked for cannot be read.*--finding") as raised:
        questions_of(sidecar, ["a"], ["nodule", text])
    assert "reports.json" not in str(raised.value)


def test_the_same_text_twice_is_one_too_many():
    with pytest.raises(SidecarError, match=r"asked for twice.*nodule.*--finding once"):
        questions_of(Sidecar.from_cases({"a": {"report": "A nodule."}}), ["a"], ["nodule", "mass", "nodule"])


def test_an_image_that_ends_too_early_is_no_image_with_zeros(images, model, tmp_path):
    file = images / f"{case_name(0)}_0000.nii.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(0.9 * len(whole))])
    with pytest.raises(DatasetError, match=rf"{file}.*the image cannot be read"):
        predict_folder(images, tmp_path / "out", model=model, reports=None, options=OPTIONS)
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_prediction_is_never_replaced(images, model, tmp_path, kind):
    place = tmp_path / "out" / case_name(1)
    place.parent.mkdir()
    kept = place if kind == "file" else place / "scan.dcm"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(b"kept")
    with pytest.raises(DatasetError, match=rf"{case_name(1)}.*is no prediction.*-o"):
        predict(images, tmp_path / "out", model)
    assert kept.read_bytes() == b"kept"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [case_name(1)]


def test_a_case_without_findings_is_refused_before_anything_is_written(images, model, tmp_path):
    content = json.loads((images / "reports.json").read_text())
    content["cases"][case_name(1)]["findings"] = []
    (images / "reports.json").write_text(json.dumps(content))
    with pytest.raises(SidecarError, match=rf"{case_name(1)}.*--finding"):
        predict(images, tmp_path / "out", model)
    assert not (tmp_path / "out").exists()


def test_probabilities_and_findings_of_other_models_are_refused(images, model, spy_model, spy_env, tmp_path):
    with pytest.raises(DatasetError, match="--save_probabilities"):
        predict(images, tmp_path / "out", model, save_probabilities=True)
    for changes, option in (({"findings": (sentence(1),)}, "--finding"), ({"combined": True}, "--combined")):
        with pytest.raises(DatasetError, match=f"does not answer for single findings.*leave {option} out"):
            predict(images, tmp_path / "out", spy_model, **changes)
    assert not (tmp_path / "out").exists()


def test_the_index_tells_where_a_mask_lies(tmp_path):
    from nnunet_reportseg.inference.finding_geometry import describe_mask

    mask = np.zeros(SHAPE, np.uint8)
    mask[2:4, 5, 1:4] = 1
    mask[8, 12, 4] = 1
    image = sitk.GetImageFromArray(mask)
    image.SetSpacing((0.5, 1.0, 2.0))
    image.SetOrigin((10.0, 0.0, 0.0))
    image.SetDirection((-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))  # the index grows towards patient right
    sitk.WriteImage(image, str(tmp_path / "m.nii.gz"))
    found = describe_mask(tmp_path / "m.nii.gz")
    assert found["volume_ml"] == pytest.approx(7 / 1000)
    assert found["components"] == 2
    assert found["extent_mm"] == pytest.approx([4 * 0.5, 8 * 1.0, 7 * 2.0])
    z, y, x = np.argwhere(mask).mean(axis=0)
    assert found["centroid_mm"] == pytest.approx([10 - 0.5 * x, y, 2 * z])
    assert found["side"] == "left"
    empty = sitk.GetImageFromArray(np.zeros(SHAPE, np.uint8))
    sitk.WriteImage(empty, str(tmp_path / "e.nii.gz"))
    assert describe_mask(tmp_path / "e.nii.gz") == {
        "empty": True,
        "volume_ml": 0.0,
        "components": 0,
        "centroid_mm": None,
        "extent_mm": None,
        "side": None,
    }
