"""Whitening of sentence vectors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from text_conditioning.errors import WhiteningError
from text_conditioning.whitening import Whitening


def correlated(number: int, dim: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(dim, dim, generator=generator) * torch.logspace(0, -1, dim)
    return torch.randn(number, dim, generator=generator) @ mixing.T + 3


def test_the_identity_until_it_is_fitted() -> None:
    x = correlated(4)
    whitening = Whitening(16)
    assert not whitening.fitted
    assert torch.equal(whitening(x), x)


def test_fitted_vectors_are_centred_and_uncorrelated() -> None:
    x = correlated(2000)
    whitening = Whitening(16, noise=1e-8)
    whitening.fit(x)
    y = whitening(x)
    assert whitening.fitted
    assert torch.allclose(y.mean(0), torch.zeros(16), atol=1e-3)
    assert torch.allclose(torch.cov(y.T), torch.eye(16), atol=1e-2)


def test_a_direction_that_the_training_sentences_leave_empty_stays_empty() -> None:
    x = correlated(200)
    x[:, -1] = 3.0
    whitening = Whitening(16)
    whitening.fit(x)
    new = x[:1].clone()
    new[:, -1] += 1.0
    assert (whitening(new) - whitening(x[:1])).abs().max() < 1e-3


def test_strong_directions_are_equalised_and_weak_ones_are_taken_for_noise() -> None:
    deviations = torch.tensor([1.0, 0.5, 0.3, 0.01])
    x = torch.randn(20_000, 4, generator=torch.Generator().manual_seed(1)) * deviations
    whitening = Whitening(4)
    whitening.fit(x)
    found = whitening(x).std(dim=0)
    assert found[2] / found[0] > 0.8
    assert found[3] / found[0] < 0.01


@pytest.mark.parametrize("number", [5, 30, 2000])
def test_variance_is_one_on_average_however_few_the_vectors(number: int) -> None:
    x = correlated(number)
    whitening = Whitening(16)
    whitening.fit(x)
    assert float(whitening(x).var(dim=0).mean()) == pytest.approx(1, rel=1e-4)


def test_fewer_vectors_than_dimensions_is_fine() -> None:
    x = correlated(5, dim=64)
    whitening = Whitening(64)
    whitening.fit(x.numpy().astype(np.float16))
    assert torch.isfinite(whitening(correlated(9, dim=64))).all()


@pytest.mark.parametrize("x", [correlated(0), correlated(1), correlated(1).repeat(6, 1)])
def test_without_a_covariance_the_identity_is_kept(x: torch.Tensor) -> None:
    whitening = Whitening(16)
    whitening.fit(x)
    probe = correlated(3)
    assert not whitening.fitted
    assert torch.equal(whitening(probe), probe)


def test_it_travels_with_the_state_dict_and_trains_nothing() -> None:
    fitted, fresh = Whitening(16), Whitening(16)
    fitted.fit(correlated(100))
    fresh.load_state_dict(fitted.state_dict())
    assert fresh.fitted
    assert torch.equal(fresh(correlated(3)), fitted(correlated(3)))
    assert list(fitted.parameters()) == []


def test_autocast_does_not_lower_the_precision() -> None:
    whitening = Whitening(16)
    whitening.fit(correlated(100))
    x = correlated(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = whitening(x)
    assert y.dtype == torch.float32
    assert torch.equal(y, whitening(x))


def test_wrong_shape_and_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(WhiteningError, match="dimension 16"):
        Whitening(16).fit(torch.zeros(4, 8))
    x = correlated(4)
    x[2, 3] = float("nan")
    with pytest.raises(WhiteningError, match="vector 2"):
        Whitening(16).fit(x)
