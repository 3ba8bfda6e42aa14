"""Plans that give no U-Net are refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from nnunet_reportseg.errors import ArchitectureError
from nnunet_reportseg.network.planned_unet import require_planned_unet
from tests.network.small_network import planned

PLANS = Path("nnUNetPlans.json")


def no_class() -> nn.Module:
    raise ImportError("Network class could not be found")


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (no_class, "could not be found"),
        (lambda: nn.Linear(input_channels=1), "input_channels"),
        (lambda: nn.Linear(1, 1), r"missing: encoder\.output_channels"),
    ],
)
def test_the_message_names_plans_class_and_fix(build, said):
    with pytest.raises(ArchitectureError, match=rf"nnUNetPlans\.json.*{said}.*Linear.*Fix: use plans with"):
        require_planned_unet(build, name="torch.nn.Linear", file=PLANS)


def test_a_unet_passes_without_memory_for_its_weights():
    built = []

    def build():
        built.append(planned())
        return built[0]

    require_planned_unet(build, name="PlainConvUNet", file=PLANS)
    assert {parameter.device.type for parameter in built[0].parameters()} == {"meta"}


def test_what_cannot_be_built_without_memory_is_left_to_the_training():
    def build():
        return nn.Linear(1, int(torch.ones(()).item()))

    require_planned_unet(build, name="torch.nn.Linear", file=PLANS)
