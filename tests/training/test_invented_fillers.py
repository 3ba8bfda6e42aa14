"""Invented fillers: as the known ones in mean and covariance, never the same twice, and never in a finding's place."""

from __future__ import annotations

import numpy as np
import pytest

from nnunet_reportseg.training.invented_fillers import InventedFillers

DIM = 6
FILLERS = tuple(f"filler {number}" for number in range(40))
FINDING = "finding"


class Bank:
    """Fillers around a mean, in three of six directions; a finding far away."""

    dim = DIM

    def __init__(self):
        random = np.random.default_rng(0)
        placed = 5 + random.normal(size=(len(FILLERS), 3)) @ random.normal(size=(3, DIM))
        self.known = dict(zip(FILLERS, placed.astype(np.float32), strict=True)) | {
            FINDING: np.full(DIM, -9, np.float32)
        }

    def vectors(self, sentences):
        return np.stack([self.known[sentence] for sentence in sentences])


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def test_mean_and_covariance_are_those_of_the_fillers():
    bank = Bank()
    invented = InventedFillers(bank, FILLERS, 1.0).vectors([FILLERS[0]] * 20000)
    known = bank.vectors(FILLERS)
    np.testing.assert_allclose(invented.mean(axis=0), known.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(invented.T), np.cov(known.T, bias=True), atol=0.4)
    assert np.linalg.matrix_rank(invented - known.mean(axis=0), tol=1e-2) == 3, "nothing where no filler lies"


def test_as_many_are_replaced_as_wanted_and_no_other_sentence():
    bank = Bank()
    sentences = [FINDING, *FILLERS] * 50
    true = bank.vectors(sentences)
    found = InventedFillers(bank, FILLERS, 0.3).vectors(sentences)
    assert found.dtype == np.float32
    replaced = (found != true).any(axis=1)
    assert not replaced[:: len(FILLERS) + 1].any()
    assert 0.25 < replaced.sum() / (50 * len(FILLERS)) < 0.35


def test_each_call_invents_anew_and_the_bank_keeps_its_vectors():
    bank = Bank()
    fillers = InventedFillers(bank, FILLERS, 1.0)
    before = bank.vectors(FILLERS)
    first, second = fillers.vectors(FILLERS), fillers.vectors(FILLERS)
    assert (first != second).any(axis=1).all()
    np.testing.assert_array_equal(bank.vectors(FILLERS), before)


def test_a_single_filler_has_nothing_to_vary_around():
    bank = Bank()
    np.testing.assert_allclose(InventedFillers(bank, FILLERS[:1], 1.0).vectors(FILLERS[:1]), bank.vectors(FILLERS[:1]))
