"""Vectors of the reports to predict: from sound banks, else from the encoder."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from nnunet_reportseg.errors import ModelMismatchError
from nnunet_reportseg.inference.prediction_reports import load_prediction_reports
from nnunet_reportseg.sidecar import Sidecar
from tests.spy_workspace import SpyEncoder, sentence
from tests.test_conditioning import BLOCK
from text_conditioning.bank import build_bank
from text_conditioning.errors import EncoderError

CONDITIONING = replace(BLOCK, encoder="spy", encoder_fingerprint=SpyEncoder.fingerprint, text_dim=SpyEncoder.dim)
SIDECAR = Sidecar.from_cases({"a": {"report": sentence(3)}})


@pytest.fixture
def damaged_bank(tmp_path):
    build_bank(tmp_path, SpyEncoder(), [sentence(3)])
    rows = tmp_path / f"{SpyEncoder.fingerprint}.safetensors"
    rows.write_bytes(rows.read_bytes()[:-3])
    return rows


def load(folder):
    return load_prediction_reports(SIDECAR, ["a"], CONDITIONING, bank_folders=[folder], encoder=None, device="cpu")


def test_a_damaged_bank_is_skipped_with_a_warning(damaged_bank, monkeypatch, caplog):
    monkeypatch.setattr(
        "nnunet_reportseg.inference.prediction_reports.FrozenTextEncoder", lambda name, device: SpyEncoder()
    )
    with caplog.at_level(logging.WARNING):
        _, vectors = load(damaged_bank.parent)
    assert np.argmax(vectors.vectors([sentence(3)])) == 3
    assert caplog.text.count(damaged_bank.name) == 1


def test_a_damaged_bank_is_named_where_the_encoder_is_not_there(damaged_bank, monkeypatch):
    def fail(name, device):
        raise EncoderError("not here")

    monkeypatch.setattr("nnunet_reportseg.inference.prediction_reports.FrozenTextEncoder", fail)
    with pytest.raises(ModelMismatchError, match=rf"(?s)case 'a'.*{damaged_bank.name}.*not here"):
        load(damaged_bank.parent)
