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


def load(folder, conditioning=CONDITIONING, encoder=None):
    return load_prediction_reports(SIDECAR, ["a"], conditioning, bank_folders=[folder], encoder=encoder, device="cpu")


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


@pytest.mark.parametrize("trained_with", ["minilm", "sentence-transformers/all-MiniLM-L6-v2"])
def test_another_registered_encoder_is_refused_without_loading_it(tmp_path, monkeypatch, trained_with):
    loaded = []

    def load_encoder(name, device):
        loaded.append(name)
        return SpyEncoder()

    monkeypatch.setattr("nnunet_reportseg.inference.prediction_reports.FrozenTextEncoder", load_encoder)
    conditioning = replace(CONDITIONING, encoder=trained_with)
    for other in ("biomedbert", "microsoft/BiomedVLP-CXR-BERT-specialized"):
        with pytest.raises(ModelMismatchError, match=rf"case 'a'.*{trained_with}.*'{other}' is another one.*Fix: use"):
            load(tmp_path, conditioning, other)
    assert not loaded
    for same in ("minilm", "sentence-transformers/all-MiniLM-L6-v2", str(tmp_path)):
        load(tmp_path, conditioning, same)
    assert len(loaded) == 3


def test_an_encoder_with_other_weights_is_refused_after_loading_it(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "nnunet_reportseg.inference.prediction_reports.FrozenTextEncoder", lambda name, device: SpyEncoder()
    )
    with pytest.raises(ModelMismatchError, match=rf"found: '{SpyEncoder.fingerprint}'"):
        load(tmp_path, replace(CONDITIONING, encoder_fingerprint="0" * 16), "a_folder")
