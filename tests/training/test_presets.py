"""The presets: found, built, and each trains what it promises."""

from __future__ import annotations

import inspect
import pickle

import pytest
import torch
from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import nn

from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
from nnunet_reportseg.training import presets
from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer
from tests.spy_trainer import make_trainer

PRESETS = ("FiLM", "CrossAttention", "Gated", "Hierarchical", "AdaptersOnly", "NoReport")
NAMES = [f"ReportGuidedTrainer_{name}" for name in PRESETS]


def test_every_preset_is_listed_here():
    found = {name for name, value in vars(presets).items() if inspect.isclass(value) and name.startswith("Report")}
    assert found == {"ReportGuidedTrainer", *NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_is_what_nnunet_expects_of_a_trainer(name):
    trainer = getattr(presets, name)
    assert issubclass(trainer, ReportGuidedTrainer)
    assert pickle.loads(pickle.dumps(trainer)) is trainer
    assert list(inspect.signature(trainer.__init__).parameters) == list(
        inspect.signature(nnUNetTrainer.__init__).parameters
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_trains_what_it_promises(spy_env, name):
    trainer = make_trainer("all", name=name)
    trainer.initialize()
    before = {key: value.clone() for key, value in trainer.network.named_parameters()}
    loader, _ = trainer.get_dataloaders()
    for _ in range(2):
        trainer.train_step(next(loader))
    changed = {key.split(".")[0] for key, value in trainer.network.named_parameters() if (value != before[key]).any()}
    expected = {"report_adapter"} if name.endswith("AdaptersOnly") else {"encoder", "decoder", "report_adapter"}
    assert changed == expected
    attention = trainer.loss.means().get("attention")
    assert (attention is None) == name.endswith(("FiLM", "NoReport"))
    assert trainer.plans_manager.plans["report_conditioning"]["adapter"]["film"] is not name.endswith("CrossAttention")


@pytest.mark.parametrize("kind", [PlainConvUNet, ResidualEncoderUNet])
@pytest.mark.parametrize("text_dim", [384, 1024])
def test_adapters_only_trains_less_than_a_million_parameters_in_nnunets_default_networks(kind, text_dim):
    blocks = {"n_conv_per_stage": 2} if kind is PlainConvUNet else {"n_blocks_per_stage": (1, 3, 4, 6, 6, 6)}
    with torch.device("meta"):
        planned = kind(
            input_channels=1,
            n_stages=6,
            features_per_stage=(32, 64, 128, 256, 320, 320),
            conv_op=nn.Conv3d,
            kernel_sizes=3,
            strides=(1, 2, 2, 2, 2, 2),
            num_classes=2,
            n_conv_per_stage_decoder=2 if kind is PlainConvUNet else 1,
            deep_supervision=True,
            **blocks,
        )
        config = presets.ReportGuidedTrainer_AdaptersOnly.adapter
        network = ReportGuidedUNet(planned, text_dim=text_dim, config=config)
    assert sum(parameter.numel() for parameter in network.report_adapter.parameters()) < 1_000_000
