"""Network time of several findings of one tile against one: the encoder runs once, the decoder once for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
from speed.planned import ARCHITECTURES, frame, guided_network, reports
from speed.timing import seconds
from text_conditioning.memory import ReportTensors

PATCH = (32, 64, 64)  # for two CPU cores
FINDINGS = (1, 3, 8, 10)
AT_ONCE = 4  # the default of `reportseg predict --findings-per-batch`
SENTENCES = 24


def measure(device: torch.device, patch: Sequence[int], repeats: int) -> dict[str, Any]:
    """Time and FLOPs for one tile, and whether the masks are those of single runs."""
    found: dict[str, Any] = {}
    for architecture in ARCHITECTURES:
        torch.manual_seed(0)
        network = guided_network(architecture, 1, grounding=True).to(device)
        network.set_frame(frame(patch, device))
        tile = torch.randn(1, 1, *patch, device=device)
        asked = reports(max(FINDINGS), SENTENCES, device)
        jobs = {str(count): _job(network, tile, asked, count) for count in FINDINGS}
        with torch.inference_mode():
            times = seconds(jobs, device, repeats=repeats)
            flops = {name: _flops(job) for name, job in jobs.items()}
            together = jobs[str(max(FINDINGS))]()
            alone = torch.cat([_decode(network, network.encoder(tile), _part(asked, i, i + 1)) for i in range(8)])
        entry: dict[str, Any] = {
            "seconds": times,
            "gflops": {name: round(count / 1e9, 1) for name, count in flops.items()},
            "masks_that_differ_in_voxels": int(((together[:8] > 0) != (alone > 0)).sum()),
            "voxels": int(alone.numel()),
        }
        for count in FINDINGS[1:]:
            entry[f"findings_{count}_over_1"] = round(times[str(count)] / times["1"], 3)
            entry[f"flops_{count}_over_1"] = round(flops[str(count)] / flops["1"], 3)
        found[architecture] = entry
    return found


def _job(network: ReportGuidedUNet, tile: torch.Tensor, asked: ReportTensors, count: int) -> Any:
    def job() -> torch.Tensor:
        skips = network.encoder(tile)
        parts = [
            _decode(network, skips, _part(asked, start, min(count, start + AT_ONCE)))
            for start in range(0, count, AT_ONCE)
        ]
        return torch.cat(parts)

    return job


def _decode(network: ReportGuidedUNet, skips: Any, asked: ReportTensors) -> torch.Tensor:
    network.report = asked
    logits: Any = network.decode(skips)
    return torch.as_tensor(logits)


def _part(asked: ReportTensors, start: int, stop: int) -> ReportTensors:
    return ReportTensors(*(tensor[start:stop] for tensor in asked))


def _flops(job: Any) -> int:
    with FlopCounterMode(display=False) as counter:
        job()
    return int(counter.get_total_flops())
