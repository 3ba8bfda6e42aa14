"""Where figures were measured: processor or GPU, and the versions of the packages that matter."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from nnunet_reportseg.version import __version__

PACKAGES = ("nnunetv2", "torch", "transformers", "numpy")


def describe_machine(device: Any) -> str:
    """One line about the machine that computes on this torch device."""
    import torch

    name = torch.cuda.get_device_name() if device.type == "cuda" else _processor()
    return f"{name}, {os.cpu_count()} CPU cores, Python {platform.python_version()}"


def package_versions() -> dict[str, str]:
    """Version of each package that matters."""
    return {"nnunet-reportseg": __version__} | {name: metadata.version(name) for name in PACKAGES}


def _processor() -> str:
    info = Path("/proc/cpuinfo")  # platform.processor() is empty on most Linux systems
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
