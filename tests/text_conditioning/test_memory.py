"""The report memory: one token a sentence, a null token that is always there, a bias for what is denied."""

from __future__ import annotations

import math

import pytest
import torch

from tests.text_conditioning.adapter_inputs import MEMORY_DIM, report
from text_conditioning.assertion import Assertion
from text_conditioning.memory import ReportMemory, ReportTensors


@pytest.fixture
def tokens() -> ReportMemory:
    torch.manual_seed(0)
    return ReportMemory(8, MEMORY_DIM)


@pytest.mark.parametrize("sentences", [0, 2])
def test_the_null_token_is_attendable_and_padding_is_not(tokens: ReportMemory, sentences: int) -> None:
    memory = tokens(report([Assertion.PRESENT] * sentences, padded=3))
    assert memory.tokens.shape == (1, 1 + sentences + 3, MEMORY_DIM)
    assert torch.isfinite(memory.bias[:, : 1 + sentences]).all()
    assert (memory.bias[:, 1 + sentences :] == float("-inf")).all()
    assert memory.bias[0, 0] == 0


def test_the_null_token_does_not_depend_on_the_report(tokens: ReportMemory) -> None:
    first, second = (tokens(report([Assertion.PRESENT], seed=seed)).tokens for seed in (0, 1))
    assert torch.equal(first[:, 0], second[:, 0])
    assert not torch.equal(first[:, 1], second[:, 1])


def test_no_report_is_another_token_than_a_report_that_says_nothing(tokens: ReportMemory) -> None:
    nothing = tokens(report([], padded=2)).tokens[0, 0]
    something = tokens(report([Assertion.PRESENT], padded=1)).tokens[0, 0]
    rows = zip(report([], padded=2), report([Assertion.PRESENT], padded=1), strict=True)
    both = tokens(ReportTensors(*map(torch.cat, rows)))
    assert (nothing - something).abs().max() > 0.1
    torch.testing.assert_close(both.tokens[:, 0], torch.stack((nothing, something)))


def test_attention_gets_sharper_with_the_number_of_sentences_and_padding_does_not_count(tokens: ReportMemory) -> None:
    factors = [float(tokens(report([Assertion.PRESENT] * count)).sharpness) for count in (1, 7, 60)]
    assert factors == sorted(factors)
    assert factors[1] == pytest.approx(1)
    assert factors[2] / factors[1] == pytest.approx(math.log(62) / math.log(9))
    padded = tokens(report([Assertion.PRESENT] * 7, padded=20))
    assert float(padded.sharpness) == pytest.approx(factors[1])


def test_denied_and_past_findings_start_far_below_present_ones(tokens: ReportMemory) -> None:
    bias = tokens(report(sorted(Assertion))).bias[0, 1:]
    present, absent, uncertain, historical = (bias[state] for state in sorted(Assertion))
    assert present == 0
    assert absent < uncertain < present
    assert historical < uncertain


def test_the_bias_is_learned(tokens: ReportMemory) -> None:
    tokens(report([Assertion.ABSENT, Assertion.PRESENT])).bias[:, 1].sum().backward()
    assert tokens.assertion_bias.grad is not None
    assert tokens.assertion_bias.grad.nonzero().flatten().tolist() == [Assertion.ABSENT]


def test_tokens_do_not_depend_on_their_neighbours(tokens: ReportMemory) -> None:
    both = report([Assertion.PRESENT, Assertion.ABSENT])
    alone = ReportTensors(*(tensor[:, 1:] for tensor in both))
    torch.testing.assert_close(tokens(both).tokens[:, 2], tokens(alone).tokens[:, 1])


def test_what_is_asked_for_is_marked_and_its_context_recedes() -> None:
    torch.manual_seed(0)
    tokens = ReportMemory(8, MEMORY_DIM, grounding=True)
    both = report([Assertion.PRESENT, Assertion.PRESENT])
    memory = tokens(both._replace(asked=torch.tensor([[False, True]])))
    assert memory.bias[0, 0] == 0
    assert memory.bias[0, 1] < -1
    assert memory.bias[0, 2] == 0
    assert (memory.tokens[0, 1] - memory.tokens[0, 2]).abs().max() > 0.1


def test_a_denial_that_is_asked_for_does_not_recede() -> None:
    tokens = ReportMemory(8, MEMORY_DIM, grounding=True)
    denial = report([Assertion.ABSENT])
    assert tokens(denial._replace(asked=torch.ones(1, 1, dtype=torch.bool))).bias[0, 1] == 0


def test_without_grounding_nothing_can_be_asked_for(tokens: ReportMemory) -> None:
    plain = report([Assertion.PRESENT, Assertion.ABSENT])
    for left, right in zip(tokens(plain), tokens(plain._replace(asked=~plain.asked)), strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("tag", ["assertion", "laterality", "level", "rank", "section"])
def test_what_the_encoder_represents_badly_is_embedded(tokens: ReportMemory, tag: str) -> None:
    plain = report([Assertion.PRESENT])
    other = plain._replace(**{tag: torch.ones(1, 1, dtype=torch.int64)})
    assert not torch.equal(getattr(plain, tag), getattr(other, tag))
    assert (tokens(plain).tokens[:, 1] - tokens(other).tokens[:, 1]).abs().max() > 0.1


@pytest.mark.parametrize("training", [True, False])
def test_what_has_resolved_is_out_of_sight_whatever_was_learned(tokens: ReportMemory, training: bool) -> None:
    states = sorted(Assertion)
    learned = {Assertion.PRESENT: -0.5, Assertion.ABSENT: 1.0, Assertion.UNCERTAIN: -1.5, Assertion.HISTORICAL: 2.0}
    with torch.no_grad():
        tokens.assertion_bias.copy_(torch.tensor([learned[state] for state in states]))
    seen = tokens.train(training)(report(states)).bias[0, 1:].tolist()
    assert seen == [-20.0 if state is Assertion.HISTORICAL else learned[state] for state in states]
