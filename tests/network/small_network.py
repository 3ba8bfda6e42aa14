"""A small planned network with adapters, reports, frames and images for it."""

from __future__ import annotations

import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans

from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
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
        torch.randint(0, 5, **tag),
        torch.randint(0, 4, **tag),
        torch.randint(0, 6, **tag),
        padding,
        torch.zeros(batch, length, dtype=torch.bool),
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


def run(network, report, frame=None, x=None, zoom=None):
    dimensions = 3 if x is None else x.ndim - 2
    network.set_report(report)
    network.set_frame(frames(dimensions=dimensions) if frame is None else frame, zoom)
    return network(image() if x is None else x)
