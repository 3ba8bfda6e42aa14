"""``reportseg audit`` and the audit at the end of training, on a trained model."""

from __future__ import annotations

import json
import shutil
import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.audit.after_training import audit_validation_fold
from nnunet_reportseg.audit.fold_reader import target_box
from nnunet_reportseg.cli.main import main
from nnunet_reportseg.inference import prediction_reports
from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
from tests.spy_trainer import make_trainer
from tests.spy_workspace import CASES, DATASET, DIM, SpyEncoder, case_name
from text_conditioning.position import patient_coordinates


class AnyEncoder(SpyEncoder):
    """Codes any sentence."""

    def __init__(self, *_, **__):
        pass

    def encode(self, sentences):
        return np.eye(DIM, dtype=np.float16)[[zlib.crc32(s.encode()) % DIM for s in sentences]]


@pytest.fixture
def encoder(monkeypatch):
    monkeypatch.setattr(prediction_reports, "FrozenTextEncoder", AnyEncoder)


def watch_frames(network):
    """Distances between patient coordinates as the image shows them and as the network is told, in every pass."""
    distances = []

    def compare(encoder, inputs):
        (x,) = inputs
        told = patient_coordinates(network.frame, x.shape[2:], [1] * (x.ndim - 2))[0]
        inside = x[0, 0] > x[0, 0].max() - 1e-3
        distances.append(float((x[0, 1:] - told).abs()[:, inside].max()))

    network.encoder.register_forward_pre_hook(compare)
    return distances


def run(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(["audit", "-step_size", "1", "--disable_tta", "-device", "cpu", *map(str, arguments)])
    return caught.value.code


def test_validation_cases_of_the_fold(spy_env, spy_model, encoder, tmp_path, capsys, monkeypatch):
    passes = []
    decode = ReportGuidedUNet.decode
    monkeypatch.setattr(ReportGuidedUNet, "decode", lambda net, skips: passes.append(1) or decode(net, skips))
    assert run("-d", DATASET, "-f", 0, "-o", tmp_path / "out") == 0
    content = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert content["cases"] == [case_name(k) for k in range(CASES) if k % 2 == 1]
    assert content["facts"]["split"] == "fold_0"
    # the spy's reports name no size, and every image has two findings
    assert content["conditions"]["size_changed"]["skipped"] == {"no deciding sentence states a size": 3}
    for name in (
        "correct",
        "null",
        "shuffled",
        "laterality_swapped",
        "negated",
        "site_changed",
        "order_permuted",
        "long",
        "text_only",
    ):
        assert content["conditions"][name]["dice_original"]["cases"] == 3
    assert content["verdict"]["verdict"] == "cannot be judged", "three images are too few"
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"audit.json", "audit.csv", "audit.png"}
    shown = capsys.readouterr().out
    assert "Verdict: cannot be judged" in shown
    assert "size_changed does not apply to 3 cases" in shown
    assert "…" not in shown, "nothing is cut where the output is no terminal"
    assert passes


def test_a_folder_with_labels(spy_env, spy_model, encoder, tmp_path):
    raw = spy_env / "raw" / DATASET
    chosen = ("--conditions", "null,negated,site_changed", "--max-cases", 4)
    code = run("-m", spy_model, "-f", 0, "-i", raw / "imagesTs", "-l", raw / "labelsTr", "-o", tmp_path, *chosen)
    assert code == 0
    content = json.loads((tmp_path / "audit.json").read_text())
    assert list(content["conditions"]) == ["correct", "null", "negated", "site_changed"]
    assert len(content["cases"]) == 4
    assert content["verdict"]["verdict"] == "ignores the report", "trained for eight iterations"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-d", DATASET], ["one fold", "-f"]),
        (["-d", DATASET, "-f", "7"], ["fold_7"]),
        (["-d", DATASET, "-f", "0", "--conditions", "mirrored"], ["mirrored", "order_permuted"]),
        (["-d", DATASET, "-f", "0", "--test"], ["labelsTs"]),
        (["-d", DATASET, "-f", "0", "-l", "x"], ["-i"]),
        (["-d", DATASET, "-f", "0", "-i", "x"], ["-l"]),
        (["-d", DATASET, "-f", "0", "-step_size", "0"], ["-step_size"]),
        (["-d", DATASET, "-f", "0", "-r", "missing.json"], ["missing.json"]),
        (["-d", "Dataset999_None", "-f", "0"], ["Dataset999_None"]),
        (["-d", DATASET, "-f", "0"], ["--encoder"]),  # new sentences, and no encoder
    ],
)
def test_bad_input_is_a_message_and_leaves_nothing(spy_env, spy_model, tmp_path, capsys, arguments, words, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    out = tmp_path / "out"
    assert run("-o", out, *arguments) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert all(word in message for word in words), message
    assert not out.exists()


def test_a_truncated_image_is_named(spy_env, spy_model, encoder, tmp_path, capsys):
    images, out = tmp_path / "images", tmp_path / "out"
    shutil.copytree(spy_env / "raw" / DATASET / "imagesTs", images)
    file = images / f"{case_name(2)}_0000.nii.gz"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    labels = spy_env / "raw" / DATASET / "labelsTr"
    assert run("-m", spy_model, "-f", 0, "-i", images, "-l", labels, "-o", out, "--conditions", "null") == 2
    message = capsys.readouterr().err
    assert str(file) in message
    assert "Traceback" not in message
    assert not out.exists()


def _shifted(image):
    image.SetOrigin((500.0, 500.0, 500.0))
    return image


def _finer(image):
    image.SetSpacing((0.5, 0.5, 0.5))
    return image


def _cropped(image):
    return image[:-1, :, :]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_shifted, "differ in origin"),
        (_finer, "differ in spacing"),
        (_cropped, "differ in"),
        (lambda image: image + 90 * sitk.Cast(image == 1, sitk.sitkUInt8), "does not declare"),
        (lambda image: image * sitk.Cast(image != 1, sitk.sitkUInt8), "never occurs in the label file"),
    ],
    ids=["origin", "spacing", "shape", "undeclared", "lost"],
)
def test_a_label_that_does_not_fit_is_named(spoil, named, spy_env, spy_model, encoder, tmp_path, capsys):
    labels, out = tmp_path / "labels", tmp_path / "out"
    labels.mkdir()
    raw = spy_env / "raw" / DATASET
    for number in range(CASES):
        image = sitk.Cast(sitk.ReadImage(str(raw / "labelsTr" / f"{case_name(number)}.nii.gz")), sitk.sitkUInt8)
        sitk.WriteImage(spoil(image) if number == 1 else image, str(labels / f"{case_name(number)}.nii.gz"))
    assert run("-m", spy_model, "-f", 0, "-i", raw / "imagesTs", "-l", labels, "-o", out, "--conditions", "null") == 2
    message = capsys.readouterr().err
    assert case_name(1) in message
    assert named in message
    assert not out.exists()


@pytest.mark.parametrize("with_encoder", [True, False])
def test_at_the_end_of_training(spy_env, spy_model, with_encoder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    if with_encoder:
        monkeypatch.setattr(prediction_reports, "FrozenTextEncoder", AnyEncoder)
    trainer = make_trainer(0)
    trainer.load_checkpoint(str(spy_model / "fold_0" / "checkpoint_final.pth"))
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    distances = watch_frames(trainer.network)
    file = audit_validation_fold(trainer)
    try:
        assert distances
        assert max(distances) < 1e-5, "channels of the crop are its patient coordinates"
        assert file == spy_model / "fold_0" / "audit.json"
        content = json.loads(file.read_text())
        # the bank of a training holds the other side and the denial of its sentences, so no encoder is needed
        assert list(content["conditions"]) == ["correct", "null", "shuffled", "laterality_swapped", "negated"]
        assert content["cases"] == [case_name(k) for k in range(CASES) if k % 2 == 1]
        assert trainer.network.decoder.deep_supervision is True
        assert trainer.network.report is None
        assert all(bool((value == before[name]).all()) for name, value in trainer.network.state_dict().items())
    finally:
        file.unlink()


def test_the_whole_dataset_as_fold_has_nothing_to_audit(spy_env):
    assert audit_validation_fold(make_trainer("all")) is None


def test_box_around_a_target():
    target = np.zeros((10, 20, 30), bool)
    target[4, 2:5, 28] = True
    assert target_box(target, (4, 8, 8)) == (slice(2, 6), slice(0, 8), slice(22, 30))
    target[4, 18, 28] = True
    assert target_box(target, (4, 8, 8))[1] == slice(2, 19)
    assert target_box(target, (8, 40)) == (slice(4, 5), slice(2, 19), slice(0, 30))
    assert target_box(np.zeros((10, 20), bool), (4, 40)) == (slice(3, 7), slice(0, 20))
