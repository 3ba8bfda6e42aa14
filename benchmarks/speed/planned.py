"""Networks as nnU-Net plans them for a CT of 128 x 128 x 128 voxels, with report adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from torch import nn

from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
from text_conditioning.memory import ReportTensors
from text_conditioning.stage_adapter import AdapterConfig

TEXT_DIM = 384
UNETS = "dynamic_network_architectures.architectures.unet"
STAGES = 6
FEATURES = (32, 64, 128, 256, 320, 320)
# nnunetv2 2.8 experiment_planning/experiment_planners/default_experiment_planner.py and
# residual_unets/residual_encoder_unet_planners.py
ARCHITECTURES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "default": ("PlainConvUNet", {"n_conv_per_stage": [2] * STAGES, "n_conv_per_stage_decoder": [2] * (STAGES - 1)}),
    "resenc": (
        "ResidualEncoderUNet",
        {"n_blocks_per_stage": [1, 3, 4, 6, 6, 6], "n_conv_per_stage_decoder": [1] * (STAGES - 1)},
    ),
}


def planned_network(architecture: str, classes: int = 2, *, deep_supervision: bool = False) -> nn.Module:
    """The planned network alone.

    Args:
        architecture: key of ARCHITECTURES.
        classes: segmentation heads.
        deep_supervision: as for training.
    """
    name, blocks = ARCHITECTURES[architecture]
    network: nn.Module = get_network_from_plans(
        f"{UNETS}.{name}",
        {
            "n_stages": STAGES,
            "features_per_stage": list(FEATURES),
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[3, 3, 3]] * STAGES,
            "strides": [[1, 1, 1]] + [[2, 2, 2]] * (STAGES - 1),
            **blocks,
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        ["conv_op", "norm_op", "dropout_op", "nonlin"],
        1,
        classes,
        allow_init=True,
        deep_supervision=deep_supervision,
    )
    return network


def guided_network(architecture: str, classes: int = 2, **changes: Any) -> ReportGuidedUNet:
    """The planned network with adapters, moved off their identity start, so that the report matters."""
    network = ReportGuidedUNet(
        planned_network(architecture, classes), text_dim=TEXT_DIM, config=AdapterConfig(**changes)
    )
    with torch.no_grad():
        for parameter in network.report_adapter.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


def reports(count: int, sentences: int, device: torch.device) -> ReportTensors:
    """Random reports of equal length."""
    size = (count, sentences)
    return ReportTensors(
        torch.randn(*size, TEXT_DIM),
        *(torch.randint(0, limit, size) for limit in (4, 4, 5, 4, 6)),
        torch.zeros(size, dtype=torch.bool),
        torch.zeros(size, dtype=torch.bool),
    ).to(device)


def frame(patch: Sequence[int], device: torch.device) -> torch.Tensor:
    """A patient frame ``(1, 3, 4)`` in which the patch is the whole volume."""
    return torch.cat((torch.diag(1 / torch.tensor(patch, dtype=torch.float32)), torch.zeros(3, 1)), 1)[None].to(device)
