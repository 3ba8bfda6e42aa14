"""The network with adapters: identity at the start, order and padding, compile, strictness."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch._dynamo.testing
from torch import nn

from nnunet_reportseg.errors import ArchitectureError, ReportContextError
from nnunet_reportseg.network.report_guided_unet import PlannedBackbone, ReportGuidedUNet, is_compiled
from tests.network.small_network import CONFIG, TEXT_DIM, awaken, build, frames, image, planned, reports, run
from text_conditioning.memory import ReportTensors

SHARED = replace(CONFIG, shared_stages=2)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("config", [CONFIG, SHARED], ids=["default", "shared stages"])
@pytest.mark.parametrize("kind", ["PlainConvUNet", "ResidualEncoderUNet"])
def test_step_zero_equals_the_planned_network_bit_for_bit(kind, config, dimensions):
    torch.manual_seed(0)
    reference = planned(kind, dimensions)
    network = build(0, config, kind=kind, dimensions=dimensions)
    x = image(dimensions)
    for expected, found in zip(reference(x), run(network, reports(), x=x), strict=True):
        assert torch.equal(expected, found)


@pytest.mark.parametrize("kind", ["PlainConvUNet", "ResidualEncoderUNet"])
def test_plain_weights_load_and_keep_the_identity_start(kind):
    torch.manual_seed(7)
    trained = planned(kind)
    network = build(1, kind=kind)
    PlannedBackbone(network).load_state_dict(trained.state_dict())
    x = image()
    for expected, found in zip(trained(x), run(network, reports(), x=x), strict=True):
        assert torch.equal(expected, found)


@pytest.mark.parametrize("config", [CONFIG, SHARED], ids=["default", "shared stages"])
def test_every_adapter_parameter_gets_a_gradient_after_one_step(config):
    network = build(config=config)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    report = reports()
    report.padding[1] = True  # a missing report has a token of its own
    for _ in range(2):
        optimizer.zero_grad()
        sum(out.square().sum() for out in run(network, report, zoom=torch.tensor([0.3, -0.2]))).backward()
        optimizer.step()
    without = [n for n, p in network.report_adapter.named_parameters() if p.grad is None or not p.grad.any()]
    tags = ("assertion", "laterality", "level", "rank", "section")
    # key biases shift all logits of a query alike; embeddings and bias of states that did not occur stay
    assert [n for n in without if not any(tag in n for tag in tags)] == []


def test_zoom_is_of_one_pass_and_a_frame_alone_has_none():
    network = awaken(build()).eval()
    plain, zoomed, after = (run(network, reports(), zoom=zoom)[0] for zoom in (None, torch.tensor([0.3, -0.2]), None))
    assert (plain - zoomed).abs().amax(dim=(1, 2, 3, 4)).min() > 1e-3
    assert torch.equal(plain, after)


def test_the_report_changes_the_output_and_eval_is_deterministic():
    network = awaken(build()).eval()
    first, again, other = (run(network, reports(seed=seed))[0] for seed in (0, 0, 5))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3


def test_sentence_order_does_not_change_the_output():
    network = awaken(build()).eval()
    report = reports(sentences=5)
    order = torch.tensor([3, 1, 4, 0, 2, 5, 6, 7])
    shuffled = ReportTensors(*(tensor[:, order] for tensor in report))
    torch.testing.assert_close(run(network, report)[0], run(network, shuffled)[0], rtol=1e-4, atol=1e-5)


def test_padding_does_not_change_the_output():
    network = awaken(build()).eval()
    report = reports(sentences=3, length=3)
    padded = reports(sentences=3, length=16, seed=9)
    padded = ReportTensors(*(torch.cat((a, b[:, 3:]), 1) for a, b in zip(report, padded, strict=True)))
    torch.testing.assert_close(run(network, report)[0], run(network, padded)[0], rtol=1e-4, atol=1e-5)


def test_a_missing_report_is_finite_and_independent_of_padded_values():
    network = awaken(build()).eval()
    first, second = (run(network, reports(sentences=0, seed=seed))[0] for seed in (0, 1))
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)


def test_position_changes_the_output():
    network = awaken(build()).eval()
    left, right = frames(), frames()
    right[:, 0, -1] += 0.5
    assert (run(network, reports(), left)[0] - run(network, reports(), right)[0]).abs().max() > 1e-3


def test_one_report_serves_a_batch():
    network = awaken(build()).eval()
    report = reports(batch=1)
    both = ReportTensors(*(tensor.expand(2, *tensor.shape[1:]) for tensor in report))
    torch.testing.assert_close(run(network, report, frames(1))[0], run(network, both)[0])


def test_bfloat16_stays_close():
    network = awaken(build()).eval()
    expected = run(network, reports())[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = run(network, reports())[0]
    assert (found.float() - expected).abs().mean() < 0.05 * expected.abs().mean() + 0.02


def test_noise_moves_sentence_vectors_by_its_deviation_and_leaves_padding_alone():
    network = build()
    report = reports(batch=2, sentences=3)
    network.set_report(report)
    clean = network.report.vectors
    torch.manual_seed(0)
    network.set_report(report, noise=2.0)
    moved = network.report.vectors - clean
    assert (moved[report.padding] == 0).all()
    assert abs(float(moved[~report.padding].std()) - 2.0) < 0.3
    network.set_report(report)
    torch.testing.assert_close(network.report.vectors, clean)


def test_a_pass_without_a_report_raises():
    network = build()
    with pytest.raises(ReportContextError, match="set_report"):
        network(image())
    run(network, reports())
    network.clear_context()
    with pytest.raises(ReportContextError):
        network(image())


def test_an_architecture_without_decoder_is_refused_by_name():
    class Transformer(nn.Module):
        pass

    with pytest.raises(ArchitectureError, match=r"encoder\.strides.*Transformer"):
        ReportGuidedUNet(Transformer(), text_dim=TEXT_DIM, config=CONFIG)


def test_context_is_not_part_of_the_state():
    network = build()
    before = set(network.state_dict())
    run(network, reports())
    assert set(network.state_dict()) == before
    assert set(planned().state_dict()) == {key for key in before if not key.startswith("report_adapter.")}


@pytest.mark.parametrize(
    "config", [CONFIG, replace(CONFIG, hierarchical=True), SHARED], ids=["default", "hierarchical", "shared stages"]
)
def test_compile_makes_one_graph_without_breaks_over_reports(config):
    torch._dynamo.reset()
    network = awaken(build(config=config)).eval()
    counter = torch._dynamo.testing.CompileCounter()
    compiled = torch.compile(network, backend=counter, fullgraph=True)
    assert is_compiled(compiled)
    assert not is_compiled(network)
    for seed in range(4):
        expected = run(network, reports(seed=seed, sentences=seed))[0]
        network.set_report(reports(seed=seed, sentences=seed))
        network.set_frame(frames())
        torch.testing.assert_close(compiled(image())[0], expected)
    assert counter.frame_count == 1


@pytest.mark.parametrize("config", [CONFIG, SHARED], ids=["default", "shared stages"])
@pytest.mark.parametrize("kind", ["PlainConvUNet", "ResidualEncoderUNet"])
def test_one_encoded_patch_is_decoded_with_many_reports_as_if_each_came_alone(kind, config):
    network = awaken(build(config=config, kind=kind)).eval()
    x, many = image()[:1], reports(batch=5)
    with torch.no_grad():
        network.set_report(many)
        network.set_frame(frames(batch=1))
        together = network.decode(network.encode(x))
        for row in range(5):
            alone = run(network, ReportTensors(*(tensor[row : row + 1] for tensor in many)), frames(batch=1), x)
            for expected, found in zip(alone, together, strict=True):
                torch.testing.assert_close(found[row], expected[0], rtol=1e-4, atol=1e-5)
        assert not torch.allclose(together[0][0], together[0][1])


def test_shared_stages_are_decoded_once_for_all_reports():
    network = awaken(build(config=SHARED)).eval()
    passes = [0, 0, 0]

    def counts(number):
        def count(*_):
            passes[number] += 1

        return count

    for number, stage in enumerate(network.decoder.stages):
        stage.register_forward_hook(counts(number))
    network.set_report(reports(batch=2))
    network.set_frame(frames(batch=1))
    with torch.no_grad():
        encoded = network.encode(image()[:1])
        assert passes == [1, 1, 1]
        for _ in range(3):
            network.decode(encoded)
    assert passes[1:] == [1, 1]
