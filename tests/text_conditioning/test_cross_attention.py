"""Cross-attention: identity at the start, null token, denied findings, position."""

from __future__ import annotations

import pytest
import torch

from tests.text_conditioning.adapter_inputs import (
    MEMORY_DIM,
    feature_map,
    frame,
    leave_identity,
    memory,
    null_memory,
    report,
)
from text_conditioning.assertion import Assertion
from text_conditioning.cross_attention import ReportCrossAttention
from text_conditioning.memory import ReportMemory
from text_conditioning.position import patient_coordinates


def block(*, bands: int = 3, feed_forward: int = 2) -> ReportCrossAttention:
    torch.manual_seed(0)
    return ReportCrossAttention(6, MEMORY_DIM, heads=2, head_dim=4, bands=bands, feed_forward=feed_forward)


@pytest.mark.parametrize("bands", [0, 3])
@pytest.mark.parametrize("feed_forward", [0, 2])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_identity_at_the_start_with_a_gradient(dimensions: int, bands: int, feed_forward: int) -> None:
    attention = block(bands=bands, feed_forward=feed_forward)
    x = feature_map(dimensions)
    out, weights = attention(x, memory(), frame(dimensions), [1] * dimensions)
    assert torch.equal(out, x)
    assert weights.shape == (2, 4, *x.shape[2:])
    out.square().sum().backward()
    assert attention.out.weight.grad.any()
    if attention.feed_forward is not None:
        assert attention.feed_forward[-1].weight.grad.any()


def test_attention_is_a_distribution_over_null_token_and_sentences() -> None:
    attention = block()
    leave_identity(attention)
    _, weights = attention(feature_map(3), memory(), frame(3), [1, 1, 1])
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(2, 8, 8, 8))
    assert weights.std(dim=(2, 3, 4)).min() > 1e-3


@pytest.mark.parametrize("bands", [0, 3])
def test_it_is_attention_as_published(bands: int) -> None:
    """Softmax(Q K' / sqrt(d)) V of each head, here with the queries written out (arXiv:1706.03762, equation 1)."""
    attention = block(bands=bands, feed_forward=0)
    leave_identity(attention)
    x, said, heads = feature_map(3), memory(), attention.heads
    out, weights = attention(x, said, frame(3), [1, 1, 1])
    query = attention.query(attention.norm(x.flatten(2).transpose(1, 2)))
    if attention.fourier is not None:
        position = attention.fourier(patient_coordinates(frame(3), [8, 8, 8], [1, 1, 1]))
        query = query + attention.query_position(position.flatten(2).transpose(1, 2))
    key, value = attention.key(said.tokens), attention.value(said.tokens)
    attended, shares = [], []
    for q, k, v in zip(query.chunk(heads, -1), key.chunk(heads, -1), value.chunk(heads, -1), strict=True):
        logits = said.sharpness[:, None, None] * q @ k.mT / q.shape[-1] ** 0.5 + said.bias[:, None]
        shares.append(logits.softmax(dim=-1))
        attended.append(shares[-1] @ v)
    expected = x + attention.out(torch.cat(attended, dim=-1)).mT.reshape(x.shape)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(weights, (sum(shares) / heads).mT.reshape(weights.shape))


def test_attention_supervision_alone_reaches_queries_keys_and_position() -> None:
    attention = block()
    _, weights = attention(feature_map(3), memory(), frame(3), [1, 1, 1])
    weights[:, 1].log().mean().backward()
    assert attention.query.weight.grad.any()
    assert attention.key.weight.grad.any()
    assert attention.query_position.weight.grad.any()
    assert not (attention.value.weight.grad is not None and attention.value.weight.grad.any())


def test_queries_know_how_much_larger_their_patch_shows_things() -> None:
    attention = block()
    x, where = feature_map(3), (frame(3), [1, 1, 1])
    zoom = torch.tensor([0.3, 0.0])
    plain, zoomed = (attention(x, memory(), *where, z)[1] for z in (None, zoom))
    assert torch.equal(plain, zoomed)
    zoomed[:, 1].log().mean().backward()
    assert attention.query_zoom.grad is not None
    assert attention.query_zoom.grad.all()
    with torch.no_grad():
        attention.query_zoom.normal_()
    zoomed = attention(x, memory(), *where, zoom)[1]
    assert (plain[0] - zoomed[0]).abs().max() > 0.01
    torch.testing.assert_close(plain[1], zoomed[1])


def test_a_missing_report_attends_to_the_null_token_alone() -> None:
    attention = block()
    leave_identity(attention)
    x = feature_map(3)
    (first, weights), (second, _) = (attention(x, null_memory(seed=seed), frame(3), [1, 1, 1]) for seed in (0, 1))
    assert torch.equal(weights[:, 0], torch.ones(2, 8, 8, 8))
    assert not weights[:, 1:].any()
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)


@pytest.mark.parametrize("state", [Assertion.ABSENT, Assertion.HISTORICAL, Assertion.UNCERTAIN])
def test_other_sentences_start_with_less_attention_than_present_ones(state: Assertion) -> None:
    """The same words, apart from the assertion state, whose token embedding is switched off here."""
    torch.manual_seed(0)
    tokens = ReportMemory(8, MEMORY_DIM)
    torch.nn.init.zeros_(tokens.assertion.weight)
    _, weights = block()(feature_map(3)[:1], tokens(report([Assertion.PRESENT, state])), frame(3)[:1], [1, 1, 1])
    ratio = (weights[:, 2] / weights[:, 1]).max()
    assert ratio < (0.5 if state is Assertion.UNCERTAIN else 0.05)


def test_the_same_feature_at_two_places_attends_differently() -> None:
    attention = block()
    leave_identity(attention)
    x = torch.ones(2, 6, 8, 8, 8) * torch.arange(6.0)[None, :, None, None, None]
    _, weights = attention(x, memory(), frame(3), [1, 1, 1])
    assert (weights[..., 0] - weights[..., -1]).abs().max() > 0.05
    _, blind = block(bands=0)(x, memory(), frame(3), [1, 1, 1])
    assert (blind[..., 0] - blind[..., -1]).abs().max() < 1e-6


def test_queries_know_their_place_at_any_stage() -> None:
    """A stage of stride 2 sees the place of the two voxels under each of its own."""
    attention = block()
    leave_identity(attention)
    x = torch.ones(2, 6, 4, 4, 4)
    _, coarse = attention(x, memory(), frame(3), [2, 2, 2])
    _, exact = attention(x, memory(), _halved(frame(3)), [1, 1, 1])
    torch.testing.assert_close(coarse, exact)


def _halved(fine: torch.Tensor) -> torch.Tensor:
    """Frame of the grid whose voxels are blocks of two by two by two."""
    coarse = fine.clone()
    coarse[:, :, :3] *= 2
    coarse[:, :, 3] += fine[:, :, :3].sum(dim=2) / 2
    return coarse
