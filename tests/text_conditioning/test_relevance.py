"""Sentences count by their relevance: without any they are as good as not there."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.text_conditioning.adapter_inputs import MEMORY_DIM, feature_map, frame, leave_identity, report
from text_conditioning.assertion import Assertion
from text_conditioning.cross_attention import ReportCrossAttention
from text_conditioning.film import ReportFiLM
from text_conditioning.laterality import Laterality
from text_conditioning.memory import Memory, ReportMemory, ReportTensors
from text_conditioning.relevance import IRRELEVANT, RELEVANT, UNKNOWN, SentenceRelevance, relevance_loss
from text_conditioning.report_levels import coarse_level
from text_conditioning.reports import Section

FINDINGS, FILLERS = 2, 40
STATES = [Assertion.PRESENT] * (FINDINGS + FILLERS)


@pytest.fixture(autouse=True)
def never_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("text_conditioning.relevance.READ_WHOLE", 0.0)


@pytest.fixture
def tokens() -> ReportMemory:
    """Relevance is large for sentences whose vectors are near that of ones, and none for their opposite."""
    torch.manual_seed(0)
    made = ReportMemory(8, MEMORY_DIM, relevance=True)
    assert made.relevance is not None
    with torch.no_grad():
        made.projection.bias.zero_()
        made.relevance.logit.weight.copy_(4 * made.projection(torch.ones(1, 8)))
        made.relevance.logit.bias.zero_()
    return made


def long_report() -> ReportTensors:
    """Two sentences that say something, and forty that do not."""
    torch.manual_seed(1)
    vectors = torch.cat((torch.ones(FINDINGS, 8), -torch.ones(FILLERS, 8)))[None]
    return report(STATES)._replace(vectors=vectors + 0.3 * torch.randn(vectors.shape))


def short_report() -> ReportTensors:
    return ReportTensors(*(tensor[:, :FINDINGS] for tensor in long_report()))


def test_at_the_start_all_sentences_count_the_same() -> None:
    made = ReportMemory(8, MEMORY_DIM, relevance=True)(long_report())
    assert made.log_counts[0, 0].item() == 0
    assert made.log_counts[0, 1:].exp().unique().tolist() == pytest.approx([1 / (1 + math.exp(-2))])


def test_sentences_without_relevance_change_nothing_that_reads_the_report(tokens: ReportMemory) -> None:
    torch.manual_seed(2)
    attention = ReportCrossAttention(6, MEMORY_DIM, heads=2, head_dim=8, bands=2, feed_forward=2)
    film = ReportFiLM(6, MEMORY_DIM)
    leave_identity(attention)
    leave_identity(film)
    x, place = feature_map(3)[:1], frame(3)[:1]
    long, short = tokens(long_report()), tokens(short_report())
    assert long.sharpness.item() == pytest.approx(short.sharpness.item(), rel=1e-4)

    def read(memory: Memory) -> list[Tensor]:
        coarse = coarse_level(memory)
        return [attention(x, memory, place, [1, 1, 1])[0], film(x, memory), coarse.tokens[:, -1], coarse.sharpness]

    for with_fillers, without in zip(read(long), read(short), strict=True):
        torch.testing.assert_close(with_fillers, without, rtol=1e-3, atol=1e-3)
    alike = ReportMemory(8, MEMORY_DIM)
    alike.load_state_dict({k: v for k, v in tokens.state_dict().items() if not k.startswith("relevance.")})
    apart = [read(alike(given))[0] for given in (long_report(), short_report())]
    assert (apart[0] - apart[1]).abs().max() > 0.1


def test_padding_does_not_count(tokens: ReportMemory) -> None:
    padded = tokens(report([Assertion.PRESENT], padded=3))
    assert padded.log_counts[0, 2:].exp().tolist() == [0, 0, 0]


def test_a_sentence_that_names_a_side_counts_whatever_its_relevance(tokens: ReportMemory) -> None:
    given = long_report()
    side = torch.zeros_like(given.laterality)
    side[:, -1] = Laterality.LEFT
    made = tokens(given._replace(laterality=side))
    assert made.log_counts[0, -1].item() == 0
    assert made.log_counts[0, -2].exp().item() < 0.01
    assert tokens.eval()(given._replace(laterality=side)).log_counts[0, -1].item() == 0
    torch.testing.assert_close(made.relevance, tokens(given).relevance)
    assert made.bias[0, -1].item() == 0


def test_what_is_asked_for_counts_whatever_its_relevance() -> None:
    made = ReportMemory(8, MEMORY_DIM, grounding=True, relevance=True).eval()
    assert made.relevance is not None
    torch.nn.init.constant_(made.relevance.logit.bias, -5.0)
    given = report([Assertion.PRESENT, Assertion.PRESENT])
    assert made(given._replace(asked=torch.tensor([[False, True]]))).log_counts.tolist() == [[0, -math.inf, 0]]


def test_a_missing_report_counts_as_one_token_and_trains(tokens: ReportMemory) -> None:
    made = tokens(report([], padded=2))
    assert made.log_counts.exp().tolist() == [[1, 0, 0]]
    (made.tokens.sum() + made.bias[:, :1].sum() + made.sharpness.sum()).backward()
    assert tokens.relevance is not None
    gradient = tokens.relevance.logit.weight.grad
    assert gradient is not None
    assert not gradient.any()


def test_pooled_sentences_count_alike() -> None:
    made = ReportMemory(8, MEMORY_DIM, pooled=True, relevance=True)
    assert made.relevance is None
    assert made(long_report()).log_counts.tolist() == [[0, 0]]


def test_the_coarse_level_keeps_the_impression_where_it_is_relevant(tokens: ReportMemory) -> None:
    given = short_report()
    impression = given._replace(section=torch.full_like(given.section, Section.IMPRESSION))
    coarse = coarse_level(tokens(impression))
    assert coarse.log_counts.shape == (1, 1 + FINDINGS + 1)
    torch.testing.assert_close(coarse.log_counts[:, :-1], tokens(impression).log_counts)
    assert coarse.log_counts[0, -1].item() == 0


def test_half_of_the_reports_are_read_whole_in_training(tokens: ReportMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("text_conditioning.relevance.READ_WHOLE", 0.5)
    torch.manual_seed(0)
    many = ReportTensors(*(tensor.expand(200, *tensor.shape[1:]) for tensor in long_report()))
    whole = (tokens(many).log_counts == 0).all(dim=1)
    assert 70 < int(whole.sum()) < 130
    assert (tokens(many).relevance[:, FINDINGS:] < 0).all()
    assert not (tokens.eval()(many).log_counts == 0).all(dim=1).any()


def test_in_prediction_a_long_report_is_read_as_the_short_one(tokens: ReportMemory) -> None:
    """However little its other sentences are below the half."""
    tokens.eval()
    assert tokens.relevance is not None
    with torch.no_grad():
        tokens.relevance.logit.weight.mul_(1e-3)
    long, short = tokens(long_report()), tokens(short_report())
    assert long.log_counts.tolist() == [[0.0] * (1 + FINDINGS) + [-math.inf] * FILLERS]
    assert short.log_counts.tolist() == [[0.0] * (1 + FINDINGS)]
    assert long.sharpness.item() == short.sharpness.item()
    leave_identity(attention := ReportCrossAttention(6, MEMORY_DIM, heads=2, head_dim=8, bands=2, feed_forward=2))
    (first, weights), (second, _) = (attention(feature_map(3)[:1], m, frame(3)[:1], [1] * 3) for m in (long, short))
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-5)
    assert not weights[:, 1 + FINDINGS :].any()


# ------------------------------------------------------------------------------------------------------- supervision


def test_the_loss_is_the_mean_of_both_classes_whatever_their_numbers() -> None:
    logits = torch.tensor([[0.5, -1.0, -1.0, -1.0], [0.5, 7.0, -9.0, -1.0]])
    labels = torch.tensor([[RELEVANT, *[IRRELEVANT] * 3], [RELEVANT, UNKNOWN, UNKNOWN, IRRELEVANT]])
    relevant, irrelevant = math.log(1 + math.exp(-0.5)), math.log(1 + math.exp(-1.0))
    assert float(relevance_loss(logits, labels)) == pytest.approx((relevant + irrelevant) / 2)
    only = labels.where(labels == IRRELEVANT, UNKNOWN)
    assert float(relevance_loss(logits, only)) == pytest.approx(irrelevant)


def test_where_nothing_is_known_the_loss_has_a_gradient_of_zero() -> None:
    logits = torch.tensor([[1.0, -9.0]], requires_grad=True)
    loss = relevance_loss(logits, torch.full((1, 2), UNKNOWN))
    loss.backward()
    assert float(loss.detach()) == 0
    assert logits.grad is not None
    assert logits.grad.tolist() == [[0, 0]]


def test_relevance_is_learned_from_few_sentences_of_each_kind() -> None:
    torch.manual_seed(0)
    relevance = SentenceRelevance(MEMORY_DIM)
    kinds = torch.randn(2, 1, MEMORY_DIM)
    optimizer = torch.optim.AdamW(relevance.parameters(), lr=0.05)
    labels = torch.cat((torch.full((1, 3), RELEVANT), torch.full((1, 12), IRRELEVANT)), dim=1)

    def sentences() -> Tensor:
        return torch.cat((kinds[0].expand(3, -1), kinds[1].expand(12, -1)))[None] + 0.3 * torch.randn(1, 15, MEMORY_DIM)

    for _ in range(100):
        optimizer.zero_grad()
        relevance_loss(relevance(sentences()), labels).backward()
        optimizer.step()
    counts = torch.sigmoid(relevance(sentences()))[0]
    assert counts[:3].min() > 0.9
    assert counts[3:].max() < 0.1
