"""A decoder stage under several reports of one patch gives what the planned stage gives for each of them."""

from __future__ import annotations

import pytest
import torch
from dynamic_network_architectures.building_blocks.residual import BasicBlockD, StackedResidualBlocks
from dynamic_network_architectures.building_blocks.simple_conv_blocks import StackedConvBlocks
from torch import nn

from nnunet_reportseg.network import shared_skips
from nnunet_reportseg.network.shared_skips import join

BELOW, CHANNELS, REPORTS = 6, 4, 3
NORM = {"norm_op_kwargs": {"eps": 1e-5, "affine": True}, "nonlin": nn.LeakyReLU}


def parts(strides, kernel, *, bias=True, convolutions=1, **of_up):
    """Transposed convolution and stage of a decoder, in double precision."""
    torch.manual_seed(0)
    three = len(kernel) == 3
    up = (nn.ConvTranspose3d if three else nn.ConvTranspose2d)(
        BELOW, CHANNELS, **{"kernel_size": strides, "stride": strides, "bias": bias, **of_up}
    )
    stage = StackedConvBlocks(
        convolutions,
        nn.Conv3d if three else nn.Conv2d,
        2 * CHANNELS,
        CHANNELS,
        kernel,
        1,
        conv_bias=bias,
        norm_op=nn.InstanceNorm3d if three else nn.InstanceNorm2d,
        **NORM,
    )
    return up.double().eval(), stage.double().eval()


def joined_and_planned(up, stage, coarse, reports=REPORTS, skips=1):
    below = torch.randn(reports, BELOW, *coarse, dtype=torch.float64)
    with torch.inference_mode():
        skip = torch.randn(skips, CHANNELS, *up(below).shape[2:], dtype=torch.float64)
        planned = torch.cat(
            [stage(torch.cat((up(one[None]), skip[n % skips][None]), 1)) for n, one in enumerate(below)]
        )
        return join(stage, up, below, skip), planned


@pytest.fixture
def composed(monkeypatch):
    """Strides of the stages whose two convolutions became one, which all are worth it."""
    made = []
    upsampled = shared_skips._upsampled

    def counted(up, *arguments):
        made.append(tuple(up.stride))
        return upsampled(up, *arguments)

    monkeypatch.setattr(shared_skips, "_upsampled", counted)
    monkeypatch.setattr(shared_skips, "_WORTH_VOXELS", 0)
    return made


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("strides", "kernel", "coarse"),
    [
        ((2, 2, 2), (3, 3, 3), (3, 4, 5)),
        ((2, 2, 2), (3, 3, 3), (1, 1, 2)),
        ((1, 2, 2), (1, 3, 3), (4, 3, 3)),
        ((1, 2, 2), (3, 3, 3), (1, 4, 3)),
        ((2, 1, 2), (3, 3, 3), (2, 2, 1)),
        ((3, 4, 2), (5, 3, 1), (3, 2, 3)),
        ((2, 2), (3, 3), (5, 4)),
        ((1, 2), (1, 3), (5, 4)),
    ],
)
def test_a_shared_patch_gives_what_the_planned_stage_gives(strides, kernel, coarse, bias, composed):
    joined, planned = joined_and_planned(*parts(strides, kernel, bias=bias, convolutions=2), coarse)
    torch.testing.assert_close(joined, planned, rtol=1e-10, atol=1e-10)
    assert composed == [strides]


def test_where_little_is_to_be_saved_the_kernel_is_not_made(composed, monkeypatch):
    up, stage = parts((2, 2, 2), (3, 3, 3))
    monkeypatch.setattr(shared_skips, "_WORTH_VOXELS", REPORTS * 8 * 8 / CHANNELS)
    joined, planned = joined_and_planned(up, stage, (2, 2, 2))
    torch.testing.assert_close(joined, planned, rtol=1e-10, atol=1e-10)
    assert composed == []
    joined_and_planned(up, stage, (3, 2, 2))
    assert composed == [(2, 2, 2)]


@pytest.mark.parametrize(
    "of_up", [{"kernel_size": 4, "padding": 1}, {"groups": 2}, {"output_padding": 1}, {"kernel_size": 1}]
)
def test_other_transposed_convolutions_stay_what_they_are(of_up, composed):
    joined, planned = joined_and_planned(*parts((2, 2, 2), (3, 3, 3), **of_up), (3, 3, 3))
    torch.testing.assert_close(joined, planned, rtol=1e-10, atol=1e-10)
    assert composed == []


@pytest.mark.parametrize(("reports", "skips"), [(3, 3), (1, 1)])
def test_one_report_for_each_patch_is_the_planned_stage_bit_for_bit(reports, skips, composed):
    up, stage = parts((2, 2, 2), (3, 3, 3))
    below, skip = torch.randn(reports, BELOW, 2, 2, 2).double(), torch.randn(skips, CHANNELS, 4, 4, 4).double()
    assert torch.equal(join(stage, up, below, skip), stage(torch.cat((up(below), skip), 1)))
    assert composed == []


def test_a_residual_decoder_is_joined_as_planned(composed):
    up, _ = parts((2, 2, 2), (3, 3, 3))
    stage = StackedResidualBlocks(
        1, nn.Conv3d, 2 * CHANNELS, CHANNELS, 3, 1, norm_op=nn.InstanceNorm3d, block=BasicBlockD, **NORM
    )
    joined, planned = joined_and_planned(up, stage.double().eval(), (2, 2, 2))
    torch.testing.assert_close(joined, planned, rtol=1e-10, atol=1e-10)
    assert composed == []
