"""The configuration ``3d_demo``: inherits from the planned ``3d_fullres``, with batch and features for a CPU."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from nnunet_reportseg.atomic_write import write_text

CONFIGURATION = "3d_demo"
BATCH_SIZE = 4
FIRST_FEATURES = 8


def add_demo_configuration(plans_file: Path) -> None:
    """Add the configuration to a plans file, as users of nnU-Net add theirs.

    Patch, spacing and preprocessed data stay those of ``3d_fullres``.

    Args:
        plans_file: ``nnUNet_preprocessed/DatasetXXX_Name/nnUNetPlans.json``.
    """
    plans: dict[str, Any] = json.loads(plans_file.read_text(encoding="utf-8"))
    architecture = copy.deepcopy(plans["configurations"]["3d_fullres"]["architecture"])
    sizes = architecture["arch_kwargs"]
    stages = sizes["n_stages"]
    sizes["features_per_stage"] = [FIRST_FEATURES * 2**stage for stage in range(stages)]
    sizes["n_conv_per_stage"] = [1 if stage < stages // 2 else 2 for stage in range(stages)]
    sizes["n_conv_per_stage_decoder"] = [1] * (stages - 1)
    plans["configurations"][CONFIGURATION] = {
        "inherits_from": "3d_fullres",
        "batch_size": BATCH_SIZE,
        "architecture": architecture,
    }
    write_text(plans_file, json.dumps(plans, indent=4) + "\n")
