"""Network time of several findings of one tile against one, and a network in the manner of VoxTell beside it.

Ours runs the encoder once and the decoder for some findings together; the other one the decoder once for each prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
from nnunet_reportseg.training.grounding_trainer import ReportGroundingTrainer
from speed.planned import ARCHITECTURES, TEXT_DIM, frame, guided_network, planned_network, reports
from speed.prompted_network import PromptedNetwork
from speed.timing import seconds
from text_conditioning.memory import ReportTensors

PLANNED_PATCH = (128, 128, 128)  # of which FLOPs are counted
PATCHES = {"cpu": (32, 64, 64), "cuda": PLANNED_PATCH}  # that is timed
FINDINGS = (1, 3, 8, 10)
AT_ONCE = 4  # the default of `reportseg predict --findings-per-batch`
SENTENCES = 24

# plans, and how many stages all findings share: as many as ReportGroundingTrainer has it, or none
SHARED = {"": ReportGroundingTrainer.adapter.shared_stages, "_whole": 0}
NETWORKS = {name + suffix: (name, shared) for name in ARCHITECTURES for suffix, shared in SHARED.items()}

Job = Callable[[], Tensor]


def measure(device: torch.device, patch: Sequence[int], repeats: int) -> dict[str, Any]:
    """Time and FLOPs for one tile, and whether the masks are those of single runs."""
    found: dict[str, Any] = {}
    for name, (architecture, shared) in NETWORKS.items():
        torch.manual_seed(0)
        jobs = {**_ours(architecture, shared, patch, device), **_prompted(architecture, patch, device)}
        # half precision on a GPU, as nnUNetPredictor has it
        with torch.inference_mode(), torch.autocast(device.type, enabled=device.type == "cuda"):
            times = seconds(jobs, device, repeats=repeats)
            together, alone = jobs["ours 8"](), jobs["ours alone"]()
        flops = _flops(architecture, shared)
        found[name] = {
            "seconds": times,
            "gflops": {name: round(count / 1e9, 1) for name, count in flops.items()},
            "masks_that_differ_in_voxels": int(((together > 0) != (alone > 0)).sum()),
            "voxels": int(alone.numel()),
            **_ratios(times, ""),
            **_ratios(flops, "flops_"),
        }
    return found


def _ours(architecture: str, shared: int, patch: Sequence[int], device: torch.device) -> dict[str, Job]:
    """One tile with some findings, and with eight of them one after the other, each with an encoder run of its own."""
    network = guided_network(architecture, 1, grounding=True, shared_stages=shared).to(device)
    network.set_frame(frame(patch, device))
    tile = torch.randn(1, 1, *patch, device=device)
    asked = reports(max(FINDINGS), SENTENCES, device)

    def predict(start: int, stop: int) -> Tensor:
        encoded = network.encode(tile)
        parts = [(first, min(stop, first + AT_ONCE)) for first in range(start, stop, AT_ONCE)]
        return torch.cat([_decode(network, encoded, asked, *part) for part in parts])

    jobs: dict[str, Job] = {f"ours {count}": lambda count=count: predict(0, count) for count in FINDINGS}
    return {**jobs, "ours alone": lambda: torch.cat([predict(number, number + 1) for number in range(8)])}


def _decode(network: ReportGuidedUNet, encoded: Any, asked: ReportTensors, start: int, stop: int) -> Tensor:
    network.report = ReportTensors(*(tensor[start:stop] for tensor in asked))
    logits: Any = network.decode(encoded)
    return torch.as_tensor(logits)


def _prompted(architecture: str, patch: Sequence[int], device: torch.device) -> dict[str, Job]:
    planned: Any = planned_network(architecture)
    convolutions = ARCHITECTURES[architecture][1]["n_conv_per_stage_decoder"][0]
    network = PromptedNetwork(planned.encoder, convolutions, TEXT_DIM).to(device).eval()
    tile = torch.randn(1, 1, *patch, device=device)
    prompts = torch.randn(max(FINDINGS), TEXT_DIM, device=device)
    return {f"prompted {count}": lambda count=count: network(tile, prompts[:count]) for count in FINDINGS}


def _flops(architecture: str, shared: int) -> dict[str, int]:
    """Of a tile as nnU-Net plans it, counted on tensors without data."""
    nowhere = torch.device("meta")
    counted = {}
    jobs = {
        **_ours(architecture, shared, PLANNED_PATCH, nowhere),
        **_prompted(architecture, PLANNED_PATCH, nowhere),
    }
    for name, job in jobs.items():
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            job()
        counted[name] = int(counter.get_total_flops())
    return counted


def _ratios(of: dict[str, Any], prefix: str) -> dict[str, float]:
    more = {f"{prefix}findings_{n}_over_1": of[f"ours {n}"] / of["ours 1"] for n in FINDINGS[1:]}
    beside = {f"{prefix}over_prompted_{n}": of[f"ours {n}"] / of[f"prompted {n}"] for n in FINDINGS}
    return {name: round(value, 3) for name, value in {**more, **beside}.items()}
