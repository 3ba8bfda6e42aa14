"""The adapter of the finest stage goes into the weights of the segmentation head."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from text_conditioning.memory import Memory
from text_conditioning.stage_adapter import AdapterConfig, StageAdapter

CHANNELS, HEADS = 6, 3
STRIDE = {2: [1, 1], 3: [1, 2, 1]}
SIZE = {2: [64, 40], 3: [4, 6, 64]}  # of which 64 is wide enough for position to be interpolated


def adapter(**changes: object) -> StageAdapter:
    """Moved off its identity start."""
    torch.manual_seed(0)
    made = StageAdapter(CHANNELS, AdapterConfig(memory_dim=16, **changes), attention=False)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def reports(count: int) -> Memory:
    return Memory(torch.randn(count, 5, 16), torch.zeros(count, 5), torch.ones(count, 5, dtype=torch.bool))


def head(dimensions: int, heads: int = HEADS) -> nn.Module:
    return (nn.Conv3d if dimensions == 3 else nn.Conv2d)(CHANNELS, heads, 1)


def frames(count: int, dimensions: int) -> Tensor:
    return torch.rand(count, 3, dimensions + 1) / 10


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("changes", [{}, {"position_bands": 0}, {"film": False}])
@pytest.mark.parametrize(("samples", "places"), [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("heads", [1, HEADS])
def test_the_head_sees_what_the_adapter_makes_of_the_features(dimensions, changes, samples, places, heads):
    made, last = adapter(**changes), head(dimensions, heads)
    x = torch.randn(samples, CHANNELS, *SIZE[dimensions], requires_grad=True)
    given = reports(samples), frames(places, dimensions), STRIDE[dimensions]
    expected = last(made(x, *given)[0])
    found = made.segment(x, *given, last)
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-4)
    weights = torch.randn_like(expected)
    parameters = [x, *last.parameters(), *made.parameters()]
    for a, b in zip(*(torch.autograd.grad((y * weights).sum(), parameters) for y in (found, expected)), strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)


def test_half_precision_stays_half():
    """As autocast has it."""
    made, last = adapter(), head(3)
    x = torch.randn(2, CHANNELS, *SIZE[3])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = made.segment(x.bfloat16(), reports(2), frames(2, 3), STRIDE[3], last)
    assert found.dtype == torch.bfloat16
    assert found.isfinite().all()


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("heads", [1, 2, 5])
@pytest.mark.parametrize("samples", [1, 3])
def test_at_the_start_the_head_gives_the_same_bits(dimensions, heads, samples):
    start = StageAdapter(CHANNELS, AdapterConfig(memory_dim=16), attention=False)
    last, x = head(dimensions, heads), torch.randn(samples, CHANNELS, *SIZE[dimensions])
    given = reports(samples), frames(samples, dimensions), STRIDE[dimensions]
    assert torch.equal(start.segment(x, *given, last), last(x))


def test_a_stage_without_attention_keeps_only_its_input_for_the_backward_pass():
    made, x = adapter(), torch.randn(2, CHANNELS, *SIZE[3], requires_grad=True)
    kept: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        made(x, reports(2), frames(2, 3), STRIDE[3])
    maps = {tensor.data_ptr() for tensor in kept if tensor.numel() >= x.numel()}
    assert maps <= {x.data_ptr()}
