"""FiLM: identity at the start, then a scale and a shift that the report decides."""

from __future__ import annotations

import pytest
import torch

from tests.text_conditioning.adapter_inputs import MEMORY_DIM, feature_map, leave_identity, memory, null_memory
from text_conditioning.film import ReportFiLM


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_identity_at_the_start_with_a_gradient(dimensions: int) -> None:
    film = ReportFiLM(6, MEMORY_DIM)
    x = feature_map(dimensions)
    out = film(x, memory())
    assert torch.equal(out, x)
    out.square().sum().backward()
    assert film.scale_shift.weight.grad.any()
    assert film.scale_shift.bias.grad.any()


def test_every_voxel_of_a_channel_gets_the_same_scale_and_shift() -> None:
    film = ReportFiLM(6, MEMORY_DIM)
    leave_identity(film)
    zero, one, x = torch.zeros(2, 6, 4, 4, 4), torch.ones(2, 6, 4, 4, 4), feature_map(3, size=4)
    shift = film(zero, memory())
    scale = film(one, memory()) - shift
    assert (shift.flatten(2).amax(2) - shift.flatten(2).amin(2)).max() < 1e-6
    assert (scale - 1).abs().max() > 0.1
    torch.testing.assert_close(film(x, memory()), x * scale + shift)


def test_each_sample_is_modulated_by_its_own_report() -> None:
    film = ReportFiLM(6, MEMORY_DIM)
    leave_identity(film)
    x = feature_map(3)
    first, second = memory(seed=0), memory(seed=9)
    mixed = first._replace(tokens=torch.cat((first.tokens[:1], second.tokens[1:])))
    out = film(x, mixed)
    torch.testing.assert_close(out[:1], film(x, first)[:1])
    torch.testing.assert_close(out[1:], film(x, second)[1:])
    assert (film(x, first) - film(x, second)).abs().max() > 1e-2


def test_a_missing_report_is_the_null_token_whatever_the_padding_holds() -> None:
    film = ReportFiLM(6, MEMORY_DIM)
    leave_identity(film)
    x = feature_map(3)
    first, second = (film(x, null_memory(seed=seed)) for seed in (0, 1))
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)


def test_the_precision_of_the_feature_map_is_kept() -> None:
    film = ReportFiLM(6, MEMORY_DIM)
    assert film(feature_map(3).to(torch.bfloat16), memory()).dtype == torch.bfloat16
