"""Air around the body is left out, and the box keeps its place in the patient."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from nnunet_reportseg.case_reports import read_case_reports
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.inference import streaming
from nnunet_reportseg.inference.body_box import COARSE, body_box, body_threshold, with_outside
from nnunet_reportseg.inference.streaming import StreamingPredictor
from nnunet_reportseg.sidecar import Sidecar
from tests.inference.spy_predictions import NAMES, assert_equal_logits, hearing_predictor, image_of, vectors_of
from tests.spy_workspace import DATASET

INTENSITIES = {"mean": -100.0, "std": 200.0, "percentile_00_5": -900.0, "percentile_99_5": 500.0}


def of_ct(**changes):
    return SimpleNamespace(foreground_intensity_properties_per_channel={"0": {**INTENSITIES, **changes}})


def scheme(name="CTNormalization"):
    return SimpleNamespace(normalization_schemes=[name])


def test_threshold_is_in_the_units_of_the_preprocessed_image():
    assert body_threshold(of_ct(), scheme()) == pytest.approx((-500 + 100) / 200)
    clipped = body_threshold(of_ct(percentile_00_5=-60.0), scheme())
    assert clipped == pytest.approx((-60 + 100) / 200)  # all air has this value, and nothing of the body exceeds less
    with pytest.raises(DatasetError, match="no CT"):
        body_threshold(of_ct(), scheme("ZScoreNormalization"))


def body(shape=(40, 60, 70), where=(slice(8, 32), slice(20, 44), slice(30, 50))):
    image = torch.full(shape, -4.0)
    image[where] = 1.0
    return image


def contains(box, where):
    return all(b.start <= w.start and w.stop <= b.stop for b, w in zip(box, where, strict=True))


def test_box_holds_the_body_and_a_margin_and_no_noise():
    where = (slice(8, 32), slice(20, 44), slice(30, 50))
    image = body(where=where)
    image[38, 2, 3] = 9.0
    box = body_box(image, 0.0, (8, 8, 8))
    assert contains(box, where)
    assert all(b.stop - b.start <= w.stop - w.start + 4 * COARSE for b, w in zip(box, where, strict=True))


def test_two_large_parts_are_both_kept():
    image = body(where=(slice(4, 20), slice(4, 20), slice(4, 20)))
    image[24:36, 40:56, 50:66] = 1.0
    assert contains(body_box(image, 0.0, (8, 8, 8)), (slice(4, 36), slice(4, 56), slice(4, 66)))


def test_box_is_as_large_as_a_patch_where_the_volume_is():
    image = body(where=(slice(30, 40), slice(20, 24), slice(0, 4)))
    box = body_box(image, 0.0, (32, 48, 48))
    assert [along.stop - along.start for along in box] == [32, 48, 48]
    assert contains(box, (slice(30, 40), slice(20, 24), slice(0, 4)))
    small = body_box(image, 0.0, (64, 64, 64))
    assert [along.stop - along.start for along in small] == [40, 60, 64]
    slices = body_box(image, 0.0, (48, 48))
    assert [along.stop - along.start for along in slices[1:]] == [48, 48]


def test_nothing_above_the_threshold_leaves_the_whole_volume():
    assert body_box(torch.full((9, 10, 11), -4.0), 0.0, (4, 4, 4)) == (slice(0, 9), slice(0, 10), slice(0, 11))


@pytest.mark.parametrize("background", [True, False])
def test_outside_of_the_box_is_background(background):
    box = (slice(1, 3), slice(0, 2), slice(2, 4))
    logits = torch.randn(6, 2, 2, 2).half()  # two reports, three heads
    whole = with_outside(logits, box, (4, 4, 4), 3, background=background)
    assert torch.equal(whole[(slice(None), *box)], logits)
    outside = whole[:3, 3, 3, 3]
    assert whole.isfinite().all()
    assert outside.argmax() == 0 if background else (outside < -1000).all()


@pytest.mark.parametrize("reports", [1, 3])
def test_prediction_of_the_box_knows_its_place_in_the_patient(spy_env, spy_model, monkeypatch, reports):
    sidecar = Sidecar.load(spy_env / "raw" / DATASET / "reports.json")
    predictor = hearing_predictor(StreamingPredictor, spy_model, (0,))
    data, axes = image_of(predictor, spy_env)
    data = torch.nn.functional.pad(data, (20, 40, 30, 10, 0, 0))
    data[0] = -4.0
    data[0, :, 30:-10, 20:-40] = 1.0
    chosen = list(read_case_reports(sidecar, NAMES).values())[:reports]
    vectors = vectors_of(predictor, spy_env, sidecar)
    box = body_box(data[0], 0.0, predictor.configuration_manager.patch_size)
    assert 0 < box[1].start < 30
    expected = predictor.predict_reports(
        data[(slice(None), *box)], chosen, vectors, axes, shape=data.shape[1:], lower=[along.start for along in box]
    )
    elsewhere = predictor.predict_reports(data[(slice(None), *box)], chosen, vectors, axes)
    assert not torch.allclose(elsewhere[0].float(), expected[0].float(), atol=0.1)
    monkeypatch.setattr(streaming, "body_threshold", lambda *_: 0.0)
    predictor.crop_to_body = True
    found = predictor.predict_reports(data, chosen, vectors, axes)
    assert len(found) == reports
    for logits, inside in zip(found, expected, strict=True):
        assert logits.shape[1:] == data.shape[1:]
        assert_equal_logits(logits[(slice(None), *box)], inside)
        assert logits.argmax(0)[:, 0, 0].max() == 0
