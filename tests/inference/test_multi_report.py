"""One image under many reports gives what one prediction for each report gives, with one encoder pass per tile."""

from __future__ import annotations

import itertools

import pytest
import torch

from nnunet_reportseg.case_reports import CaseReport, read_case_reports
from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.inference.prediction_reports import bank_folder_of, load_prediction_reports
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.sidecar import Sidecar
from tests.spy_workspace import CASES, DATASET, case_name
from text_conditioning.position import patient_coordinates

NAMES = [case_name(k) for k in range(CASES)]


def _predictor(cls, model, folds, mirroring=True):
    predictor = cls(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=mirroring)
    predictor.initialize_from_trained_model_folder(str(model), folds)
    # a freshly trained network is nearly deaf; these weights hear
    generator = torch.Generator().manual_seed(0)
    for parameters in predictor.list_of_parameters:
        for name, value in parameters.items():
            if name.startswith("report_adapter.stages") and value.dtype == torch.float32:
                value += 0.3 * torch.randn(value.shape, generator=generator)
    return predictor


def _image(predictor, root):
    files = [str(root / "raw" / DATASET / "imagesTs" / f"{case_name(1)}_{c:04d}.nii.gz") for c in range(4)]
    preprocessor = predictor.configuration_manager.preprocessor_class(verbose=False)
    data, _, properties = preprocessor.run_case(
        files, None, predictor.plans_manager, predictor.configuration_manager, predictor.dataset_json
    )
    return torch.from_numpy(data), patient_axes(properties, predictor.plans_manager.transpose_forward)


def _vectors(predictor, root, sidecar):
    folder = bank_folder_of(root / "preprocessed" / DATASET)
    _, vectors = load_prediction_reports(
        sidecar, NAMES, predictor._conditioning, bank_folders=[folder], encoder=None, device="cpu"
    )
    return vectors


def _assert_equal_logits(found, expected):
    """Equal but for rounding: nnU-Net sums tiles and folds in half precision (predict_from_raw_data.py)."""
    step = torch.finfo(torch.half).eps * float(expected.float().abs().max())
    torch.testing.assert_close(found.float(), expected.float(), atol=4 * step, rtol=0)


@pytest.mark.parametrize("folds", [(0,), (0, 1)])
@pytest.mark.parametrize("at_once", [1, 4])
def test_equals_separate_predictions(spy_env, spy_model, folds, at_once):
    sidecar = Sidecar.load(spy_env / "raw" / DATASET / "reports.json")
    single = _predictor(ReportGuidedPredictor, spy_model, folds)
    single.use_reports(sidecar)
    data, axes = _image(single, spy_env)
    many = _predictor(MultiReportPredictor, spy_model, folds)
    many.reports_at_once = at_once
    ordinary = list(read_case_reports(sidecar, NAMES).values())
    endless = CaseReport("endless", tuple(s for report in ordinary for s in report.sentences) * 3)
    reports = [*ordinary, CaseReport("none")]
    assert len(endless.sentences) > many._conditioning.sentences
    (alone,) = many.predict_reports(data, [endless], _vectors(many, spy_env, sidecar), axes)
    first = many.predict_reports(data, [endless, *reports], _vectors(many, spy_env, sidecar), axes)[0]
    _assert_equal_logits(first, alone)
    together = many.predict_reports(data, reports, _vectors(many, spy_env, sidecar), axes)
    assert len(together) == len(reports)
    for name, logits in zip(NAMES, together, strict=False):
        single.queue_cases([name], [axes])
        alone = single.predict_logits_from_preprocessed_data(data)
        assert logits.shape == alone.shape
        _assert_equal_logits(logits, alone)
    apart = [
        float((a.float() - b.float()).abs().max() / b.float().abs().max()) for a, b in itertools.pairwise(together)
    ]
    assert min(apart) > 0.02, "the reports must make a difference, else this test says nothing"


@pytest.mark.parametrize(("mirroring", "passes"), [(False, 1), (True, 4)])
def test_the_encoder_runs_once_per_tile_and_flip(spy_env, spy_model, mirroring, passes):
    sidecar = Sidecar.load(spy_env / "raw" / DATASET / "reports.json")
    predictor = _predictor(MultiReportPredictor, spy_model, (0,), mirroring)
    data, axes = _image(predictor, spy_env)
    vectors = _vectors(predictor, spy_env, sidecar)
    calls = []
    predictor.network.encoder.register_forward_hook(lambda *_: calls.append(1))
    distances = []

    def compare(encoder, inputs):
        told = patient_coordinates(predictor.network.frame, inputs[0].shape[2:], [1] * 3)[0]
        inside = inputs[0][0, 0] > 1
        distances.append(float((inputs[0][0, 1:] - told).abs()[:, inside].max()))

    predictor.network.encoder.register_forward_pre_hook(compare)
    tiles = len(predictor._internal_get_sliding_window_slicers(data.shape[1:]))
    predictor.predict_reports(data, list(read_case_reports(sidecar, NAMES).values()), vectors, axes)
    assert len(calls) == tiles * passes
    assert max(distances) < 1e-5, "every tile and flip is told its own place"
    calls.clear()
    predictor.result_bytes = 3 * 2 * data[0].numel()  # three reports fit
    predictor.predict_reports(data, list(read_case_reports(sidecar, NAMES).values()), vectors, axes)
    assert len(calls) == 2 * tiles * passes


def test_context_and_label_manager_are_restored_after_an_error(spy_env, spy_model):
    sidecar = Sidecar.load(spy_env / "raw" / DATASET / "reports.json")
    predictor = _predictor(MultiReportPredictor, spy_model, (0,))
    data, axes = _image(predictor, spy_env)
    manager = predictor.label_manager

    def fail(*_):
        raise KeyError("broken")

    predictor.network.encoder.register_forward_hook(fail)
    with pytest.raises(KeyError):
        predictor.predict_reports(
            data, [read_case_reports(sidecar, NAMES)[NAMES[0]]], _vectors(predictor, spy_env, sidecar), axes
        )
    assert predictor.label_manager is manager
    assert predictor.network.report is None
