"""nnU-Net's DDP training (``-num_gpus 2``) of every trainer, as two processes on the CPU.

nnunetv2 2.8 run/run_training.py run_ddp is written for NCCL and CUDA. Here gloo takes the place of NCCL and the CPU
that of CUDA; what runs in between is nnU-Net's own. DDP refuses a parameter that takes no part in a step, and
processes that do not step alike drift apart: either would show.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as trainer_module
from torch import distributed as dist
from torch import multiprocessing as mp
from torch.nn.parallel import DistributedDataParallel

from nnunet_reportseg.conditioning import PLANS_KEY
from nnunet_reportseg.network.report_guided_unet import unwrap
from tests.spy_trainer import make_trainer, set_environment
from tests.spy_workspace import CASES, DATASET, SpyEncoder, case_name
from tests.training.test_presets import NAMES as PRESETS

PROCESSES = 2
VALIDATED = {case_name(number) for number in range(1, CASES, 2)}
VALIDATED_TRAINERS = ("ReportGuidedTrainer", "ReportGroundingTrainer")


class Encoder(SpyEncoder):
    """Embeds in the first process alone."""

    def __init__(self, source, **options):
        assert dist.get_rank() == 0


def trainer_on_cpu(name, *, continue_training=False):
    trainer = make_trainer(0, name=name, continue_training=continue_training)
    trainer.device, trainer.grad_scaler = torch.device("cpu"), None  # nnUNetTrainer.__init__ takes CUDA for granted
    trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 4, 2
    return trainer


def process(rank, root, port):
    """What run_ddp does, for each trainer; leaves what this process ended with in ``root``."""
    os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=PROCESSES, timeout=timedelta(seconds=120))
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, root)
        patch.setattr("nnunet_reportseg.training_reports.FrozenTextEncoder", Encoder)
        patch.setattr(trainer_module, "DDP", lambda network, device_ids: DistributedDataParallel(network))
        for name in (*VALIDATED_TRAINERS, *PRESETS):
            trainer = trainer_on_cpu(name)
            trainer.run_training()
            if name in VALIDATED_TRAINERS:
                trainer.perform_actual_validation()
            leave(root / f"{name}_{rank}.pt", trainer)
    dist.destroy_process_group()


def leave(file, trainer):
    state = unwrap(trainer.network).state_dict()
    torch.save({"wrapped": type(trainer.network).__name__, "state": state, "batch_size": trainer.batch_size}, file)


def free_port():
    with socket.socket() as server:
        server.bind(("localhost", 0))
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def trained(spy_root, tmp_path_factory):
    root = tmp_path_factory.mktemp("ddp")
    for folder in ("raw", "preprocessed"):
        shutil.copytree(spy_root / folder, root / folder)
    (root / "results").mkdir()
    shutil.rmtree(root / "preprocessed" / DATASET / "report_embeddings")
    mp.spawn(process, args=(root, free_port()), nprocs=PROCESSES)
    return root


@pytest.mark.parametrize("name", [*VALIDATED_TRAINERS, *PRESETS])
def test_all_processes_end_with_the_same_network(trained, name):
    first, second = (torch.load(trained / f"{name}_{rank}.pt") for rank in range(PROCESSES))
    assert first["wrapped"] == second["wrapped"] == "DistributedDataParallel"
    assert first["batch_size"] == second["batch_size"] == 1  # the plans' 2, shared out
    assert first["state"].keys() == second["state"].keys()
    for key, value in first["state"].items():
        torch.testing.assert_close(value, second["state"][key], rtol=0, atol=0, msg=key)


@pytest.mark.parametrize("name", VALIDATED_TRAINERS)
def test_the_model_folder_is_that_of_one_process(trained, name):
    model = trained / "results" / DATASET / f"{name}__nnUNetPlans__3d_fullres"
    fold = model / "fold_0"
    assert (fold / "checkpoint_final.pth").is_file()
    assert len(list(fold.glob("training_log_*"))) == 1
    block = json.loads((model / "plans.json").read_text())[PLANS_KEY]
    checkpoint = torch.load(fold / "checkpoint_final.pth", weights_only=False)
    assert block == json.loads(json.dumps(checkpoint["init_args"]["plans"][PLANS_KEY]))
    if name == "ReportGroundingTrainer":
        assert block["smallest_component_mm3"] > 0
        validated = {row["case"] for row in json.loads((fold / "validation" / "findings.json").read_text())["findings"]}
    else:
        summary = json.loads((fold / "validation" / "summary.json").read_text())
        validated = {Path(case["prediction_file"]).name.split(".")[0] for case in summary["metric_per_case"]}
        assert (fold / "audit.json").is_file()
    assert validated == VALIDATED
