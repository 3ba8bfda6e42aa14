"""One image under many reports gives what one prediction for each report gives, with one encoder pass per tile."""

from __future__ import annotations

import itertools

import pytest

from nnunet_reportseg.case_reports import CaseReport, read_case_reports
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.sidecar import Sidecar
from tests.inference.spy_predictions import NAMES, assert_equal_logits, hearing_predictor, image_of, vectors_of
from tests.spy_workspace import DATASET
from text_conditioning.position import patient_coordinates


@pytest.mark.parametrize(("folds", "at_once"), [((0,), 4), ((0, 1), 1)])
def test_equals_separate_predictions(spy_env, spy_model, folds, at_once):
    sidecar = Sidecar.load(spy_env / "raw" / DATASET / "reports.json")
    single = hearing_predictor(ReportGuidedPredictor, spy_model, folds)
    single.use_reports(sidecar)
    data, axes = image_of(single, spy_env)
    many = hearing_predictor(MultiReportPredictor, spy_model, folds)
    many.reports_at_once = at_once
    ordinary = list(read_case_reports(sidecar, NAMES).values())
    endless = CaseReport("endless", tuple(s for report in ordinary for s in report.sentences) * 3)
    reports = [*ordinary, CaseReport("none")]
    assert len(endless.sentences) > many._conditioning.sentences
    (alone,) = many.predict_reports(data, [endless], vectors_of(many, spy_env, sidecar), axes)
    first = many.predict_reports(data, [endless, *reports], vectors_of(many, spy_env, sidecar), axes)[0]
    assert_equal_logits(first, alone)
    together = many.predict_reports(data, reports, vectors_of(many, spy_env, sidecar), axes)
    assert len(together) == len(reports)
    for name, logits in zip(NAMES, together, strict=False):
        single.queue_cases([name], [axes])
        alone = single.predict_logits_from_preprocessed_data(data)
        assert logits.shape == alone.shape
        assert_equal_logits(logits, alone)
    apart = [
        float((a.float() - b.float()).abs().max() / b.float().abs().max()) for a, b in itertools.pairwise(together)
    ]
    assert min(apart) > 0.02, "the reports must make a difference, else this test says nothing"


@pytest.mark.parametrize(("mirroring", "passes"), [(False, 1), (True, 4)])
def test_the_encoder_runs_once_per_tile_and_flip(spy_env, spy_model, mirroring, passes):
    sidecar = Sidecar.load(spy_env / "raw" / DATASET / "reports.json")
    predictor = hearing_predictor(MultiReportPredictor, spy_model, (0,), mirroring)
    data, axes = image_of(predictor, spy_env)
    vectors = vectors_of(predictor, spy_env, sidecar)
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
    predictor = hearing_predictor(MultiReportPredictor, spy_model, (0,))
    data, axes = image_of(predictor, spy_env)
    manager = predictor.label_manager

    def fail(*_):
        raise KeyError("broken")

    predictor.network.encoder.register_forward_hook(fail)
    with pytest.raises(KeyError):
        predictor.predict_reports(
            data, [read_case_reports(sidecar, NAMES)[NAMES[0]]], vectors_of(predictor, spy_env, sidecar), axes
        )
    assert predictor.label_manager is manager
    assert predictor.network.report is None
