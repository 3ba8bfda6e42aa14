"""The device that a command runs on, checked before nnU-Net fails on it."""

from __future__ import annotations

import torch

from nnunet_reportseg.errors import DeviceError


def require_device(name: str | None = None) -> torch.device:
    """Return the device of a name that nnU-Net takes.

    Args:
        name: ``cuda``, ``cpu`` or ``mps``; by default cuda where there is one, else cpu.

    Raises:
        DeviceError: nnU-Net does not know it, or this machine does not have it.
    """
    cuda = torch.cuda.is_available()
    present = ["cpu", *(["cuda"] if cuda else []), *(["mps"] if torch.backends.mps.is_available() else [])]
    name = ("cuda" if cuda else "cpu") if name is None else name
    if name not in present:
        raise DeviceError.about(
            f"device is not available; this machine has {', '.join(present)}",
            value=name,
            fix="choose one of these with -device; which GPU is a matter of CUDA_VISIBLE_DEVICES",
        )
    return torch.device(name)
