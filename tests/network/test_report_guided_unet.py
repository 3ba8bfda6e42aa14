"""The network with adapters: identity at the start, order and padding, compile, strictness."""

from __future__ import annotations

import pytest
import torch
import torch._dynamo.testing
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from torch import nn

from nnunet_reportseg.errors import ArchitectureError, ReportContextError
from nnunet_reportseg.network.report_guided_unet import PlannedBackbone, ReportGuidedUNet
from text_conditioning.memory import ReportTensors
from text_conditioning.stage_adapter import AdapterConfig

TEXT_DIM = 24
CONFIG = AdapterConfig(memory_dim=16, heads=2, head_dim=8)


def planned(kind="PlainConvUNet", dimensions=3, deep_supervision=True):
    blocks = "n_blocks_per_stage" if kind == "ResidualEncoderUNet" else "n_conv_per_stage"
    return get_network_from_plans(
        f"dynamic_network_architectures.architectures.unet.{kind}",
        {
            "n_stages": 4,
            "features_per_stage": [4, 8, 12, 16],
            "conv_op": f"torch.nn.modules.conv.Conv{dimensions}d",
            "kernel_sizes": [[3] * dimensions] * 4,
            "strides": [[1] * dimensions, [2] * dimensions, [2] * dimensions, [1] + [2] * (dimensions - 1)],
            blocks: [1, 1, 1, 1],
            "n_conv_per_stage_decoder": [1, 1, 1],
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dimensions}d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        ["conv_op", "norm_op", "dropout_op", "nonlin"],
        1,
        2,
        allow_init=True,
        deep_supervision=deep_supervision,
    )


def build(seed=0, config=CONFIG, **kwargs):
    torch.manual_seed(seed)
    network = planned(**kwargs)
    return ReportGuidedUNet(network, text_dim=TEXT_DIM, config=config)


def reports(batch=2, sentences=3, length=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    padding = torch.ones(batch, length, dtype=torch.bool)
    padding[:, :sentences] = False
    tag = {"size": (batch, length), "generator": generator}
    return ReportTensors(
        torch.randn(batch, length, TEXT_DIM, generator=generator),
        torch.randint(0, 4, **tag),
        torch.randint(0, 4, **tag),
        torch.randint(0, 6, **tag),
        padding,
    )


def frames(batch=2, dimensions=3):
    frame = torch.zeros(batch, 3, dimensions + 1)
    frame[:, 3 - dimensions :, :dimensions] = torch.eye(dimensions) / 16
    return frame


def image(dimensions=3, seed=1):
    return torch.randn(2, 1, *[16] * dimensions, generator=torch.Generator().manual_seed(seed))


def awaken(network, seed=3):
    """Leave the identity start, so that the report matters."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.report_adapter.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network


def run(network, report, frame=None, x=None):
    dimensions = 3 if x is None else x.ndim - 2
    network.set_report(report)
    network.set_frame(frames(dimensions=dimensions) if frame is None else frame)
    return network(image() if x is None else x)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("kind", ["PlainConvUNet", "ResidualEncoderUNet"])
def test_step_zero_equals_the_planned_network_bit_for_bit(kind, dimensions):
    torch.manual_seed(0)
    reference = planned(kind, dimensions)
    network = build(0, kind=kind, dimensions=dimensions)
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


def test_every_adapter_parameter_gets_a_gradient_after_one_step():
    network = build()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    for _ in range(2):
        optimizer.zero_grad()
        sum(out.square().sum() for out in run(network, reports())).backward()
        optimizer.step()
    without = [n for n, p in network.report_adapter.named_parameters() if p.grad is None or not p.grad.any()]
    # key biases shift all logits of a query alike; embeddings and bias of states that did not occur stay
    assert [n for n in without if "assertion" not in n and "laterality" not in n and "section" not in n] == []


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

    with pytest.raises(ArchitectureError, match=r"Transformer.*encoder\.strides"):
        ReportGuidedUNet(Transformer(), text_dim=TEXT_DIM, config=CONFIG)


def test_context_is_not_part_of_the_state():
    network = build()
    before = set(network.state_dict())
    run(network, reports())
    assert set(network.state_dict()) == before
    assert set(planned().state_dict()) == {key for key in before if not key.startswith("report_adapter.")}


def test_compile_makes_one_graph_without_breaks_over_reports():
    torch._dynamo.reset()
    network = awaken(build()).eval()
    counter = torch._dynamo.testing.CompileCounter()
    compiled = torch.compile(network, backend=counter, fullgraph=True)
    for seed in range(4):
        expected = run(network, reports(seed=seed, sentences=seed))[0]
        network.set_report(reports(seed=seed, sentences=seed))
        network.set_frame(frames())
        torch.testing.assert_close(compiled(image())[0], expected)
    assert counter.frame_count == 1


def test_one_encoded_patch_is_decoded_with_many_reports_as_if_each_came_alone():
    network = awaken(build()).eval()
    x, many = image()[:1], reports(batch=5)
    with torch.no_grad():
        network.set_report(many)
        network.set_frame(frames(batch=1))
        together = network.decode(network.encoder(x))
        for row in range(5):
            alone = run(network, ReportTensors(*(tensor[row : row + 1] for tensor in many)), frames(batch=1), x)
            for expected, found in zip(alone, together, strict=True):
                torch.testing.assert_close(found[row], expected[0], rtol=1e-4, atol=1e-5)
        assert not torch.allclose(together[0][0], together[0][1])
