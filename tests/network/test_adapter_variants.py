"""What holds for every variant of the adapters, and what each is for."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.network.small_network import CONFIG, awaken, build, image, planned, reports, run
from text_conditioning.memory import ReportTensors
from text_conditioning.reports import Section

VARIANTS = {
    "film": replace(CONFIG, attention_stages=0),
    "cross-attention": replace(CONFIG, film=False),
    "gated": replace(CONFIG, gate=0.5),
    "hierarchical": replace(CONFIG, attention_stages=4, heads=8, hierarchical=True),
    "adapters-only": replace(CONFIG, feed_forward=0),
    "pooled": replace(CONFIG, pooled=True),
    "without position": replace(CONFIG, position_bands=0),
    "finest stage shared": replace(CONFIG, shared_stages=1),
    "two stages shared": replace(CONFIG, shared_stages=2),
    "as many stages shared as can be": replace(CONFIG, shared_stages=9),
}
BLIND = replace(CONFIG, reads_report=False)


@pytest.mark.parametrize("config", [*VARIANTS.values(), BLIND], ids=[*VARIANTS, "no report"])
def test_every_variant_starts_as_the_planned_network(config):
    torch.manual_seed(0)
    reference = planned()
    network = build(0, config=config)
    for expected, found in zip(reference(image()), run(network, reports()), strict=True):
        assert torch.equal(expected, found)


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_reads(config):
    network = awaken(build(config=config)).eval()
    first, other, null = (run(network, report)[0] for report in (reports(), reports(seed=5), reports(sentences=0)))
    assert (first - other).abs().max() > 1e-3
    assert (first - null).abs().max() > 1e-3
    assert torch.isfinite(null).all()


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_neither_padding_nor_order_change_what_a_variant_reads(config):
    network = awaken(build(config=config)).eval()
    report = reports(sentences=5)
    order = torch.tensor([3, 1, 4, 0, 2])
    shuffled = ReportTensors(*(tensor[:, order] for tensor in report))
    torch.testing.assert_close(run(network, report)[0], run(network, shuffled)[0], rtol=1e-4, atol=1e-5)


def test_the_control_without_report_gives_one_output_for_all_reports():
    network = awaken(build(config=BLIND)).eval()
    first, other, null = (run(network, report)[0] for report in (reports(), reports(seed=5), reports(sentences=0)))
    assert torch.equal(first, other)
    assert torch.equal(first, null)


def test_the_coarse_stages_tell_the_impression_from_other_sections():
    network = awaken(build(config=VARIANTS["hierarchical"])).eval()
    for stage in network.report_adapter.stages:
        if not stage.coarse:  # only the coarse level is left
            stage.attention, stage.film = None, None
    findings = reports()._replace(section=torch.full((2, 8), int(Section.FINDINGS)))
    impression = findings._replace(section=findings.section.clone())
    impression.section[:, 0] = int(Section.IMPRESSION)
    with torch.no_grad():
        network.report_adapter.memory.section.weight.zero_()  # no other trace of the section
    assert (run(network, findings)[0] - run(network, impression)[0]).abs().max() > 1e-4


def test_gates_start_where_they_should_and_learn():
    network = build(config=VARIANTS["hierarchical"])
    gates = [torch.sigmoid(s.attention.gate).item() for s in network.report_adapter.stages if s.attention is not None]
    torch.testing.assert_close(gates, [0.5, 0.5, 0.8, 0.8])
    sum(out.square().sum() for out in run(awaken(network), reports())).backward()
    assert all(s.attention.gate.grad for s in network.report_adapter.stages if s.attention is not None)


@pytest.mark.parametrize(
    ("config", "supervised"),
    [(CONFIG, True), (BLIND, False), *((VARIANTS[n], n != "film" and n != "pooled") for n in VARIANTS)],
)
def test_attention_maps_are_returned_where_single_sentences_are_attended_to(config, supervised):
    network = build(config=config)
    network.collect_reading = True
    _, (maps, embedded) = run(network, reports())
    assert embedded is None
    assert network.report_adapter.attends_to_sentences is supervised
    if supervised:
        assert maps
        assert all(m.shape[1] == 1 + 8 for m in maps)
