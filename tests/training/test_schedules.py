"""The shorter trainers are what nnU-Net expects of a trainer class."""

from __future__ import annotations

import inspect
import pickle

import pytest
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_reportseg.training import schedules
from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer
from tests.spy_workspace import DATASET

EPOCHS = (1, 5, 10, 20, 50, 100, 250)
BASES = ("ReportGuidedTrainer", "ReportGroundingTrainer")
NAMES = [f"{base}_{epochs}epoch{'' if epochs == 1 else 's'}" for base in BASES for epochs in EPOCHS]


def test_every_schedule_is_listed_here():
    trainers = [value for value in vars(schedules).values() if isinstance(value, type)]
    found = {trainer.__name__ for trainer in trainers if issubclass(trainer, ReportGuidedTrainer)}
    assert found == {*BASES, *NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_the_class_pickles_as_itself(name):
    trainer = getattr(schedules, name)
    assert trainer.__name__ == name
    assert pickle.loads(pickle.dumps(trainer)) is trainer


@pytest.mark.parametrize("name", [*BASES, *NAMES])
def test_the_constructor_has_nnunets_parameters(name):
    trainer = getattr(schedules, name)
    expected = list(inspect.signature(nnUNetTrainer.__init__).parameters.values())
    found = list(inspect.signature(trainer.__init__).parameters.values())
    assert [(p.name, p.kind) for p in found] == [(p.name, p.kind) for p in expected]
    assert found[-1].default == torch.device("cuda")


@pytest.mark.parametrize(("name", "epochs"), list(zip(NAMES, EPOCHS * 2, strict=True)))
def test_nnunet_finds_and_builds_it_by_name(spy_env, name, epochs):
    from nnunetv2.run.run_training import get_trainer_from_args

    trainer = get_trainer_from_args(DATASET, "3d_fullres", 0, name, device=torch.device("cpu"))
    assert type(trainer) is getattr(schedules, name)
    assert isinstance(trainer, getattr(schedules, name.split("_")[0]))
    assert trainer.num_epochs == epochs
    assert trainer.my_init_kwargs["configuration"] == "3d_fullres"
    assert trainer.my_init_kwargs["device"] == torch.device("cpu")
