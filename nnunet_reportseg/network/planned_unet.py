"""Whether what nnU-Net planned is a U-Net with an encoder and a decoder that adapters can be put into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from nnunet_reportseg.errors import ArchitectureError

_FIX = (
    "use plans with PlainConvUNet or ResidualEncoderUNet, for example nnU-Net's default planner or "
    "nnUNetPlannerResEncM/L/XL"
)


def require_unet(planned: nn.Module, *, file: Path | None = None) -> None:
    """Make sure that a network is a U-Net.

    Raises:
        ArchitectureError: It lacks something that the adapters need.
    """
    encoder, decoder = getattr(planned, "encoder", None), getattr(planned, "decoder", None)
    missing = [f"encoder.{name}" for name in ("output_channels", "strides") if not hasattr(encoder, name)]
    missing += [
        f"decoder.{name}"
        for name in ("stages", "transpconvs", "seg_layers", "deep_supervision")
        if not hasattr(decoder, name)
    ]
    if missing:
        raise ArchitectureError.about(
            f"the planned network has no U-Net decoder to put report adapters into (missing: {', '.join(missing)})",
            file=file,
            value=f"{type(planned).__module__}.{type(planned).__name__}",
            fix=_FIX,
        )


def require_planned_unet(build: Callable[[], nn.Module], *, name: str, file: Path) -> None:
    """Make sure that plans give a U-Net, without memory for its weights.

    Args:
        build: Builds the planned network.
        name: Of its class, for messages.
        file: The plans.

    Raises:
        ArchitectureError: It cannot be built from what the plans say, or is no U-Net.
    """
    try:
        with torch.device("meta"):
            planned = build()
    except RuntimeError:  # it wants real tensors (NotImplementedError among others); the training has them
        return
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ArchitectureError.about(
            f"nnU-Net cannot build the planned network ({error})", file=file, value=name, fix=_FIX
        ) from error
    require_unet(planned, file=file)
