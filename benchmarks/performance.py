r"""Time and size of what reports add, beside stock nnU-Net, each ratio measured in one run.

    python benchmarks/performance.py                                       # all parts at the scale of two CPU cores
    python benchmarks/performance.py --parts training findings --architectures default resenc --device cuda
    python benchmarks/performance.py --parts embedding --reports reports.csv.gz

Writes ``docs/results/performance.json`` and ``.md``; parts that are not run keep their figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from speed import embedding, findings, kept, prediction, startup, training
from speed.page import figures, page
from speed.planned import ARCHITECTURES

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.demo.machine import describe_machine, package_versions

FILE = "performance.json"
PARTS = ("startup", "findings", "training", "kept", "loading", "prediction", "embedding")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, default=Path("docs/results"), help="folder of the results")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--patch", type=int, nargs=3, help="of findings and training, z y x")
    parser.add_argument(
        "--architectures", nargs="+", choices=list(ARCHITECTURES), default=["default"], help="of training and kept"
    )
    parser.add_argument("--volume", type=int, nargs=3, default=(120, 320, 320), help="of prediction, z y x")
    parser.add_argument("--reports", type=Path, help="gzipped CSV of reports, for embedding (docs/reports.md)")
    parser.add_argument("--repeats", type=int, default=5, help="of which the median counts")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    file = arguments.docs / FILE
    parts = json.loads(file.read_text(encoding="utf-8"))["parts"] if file.is_file() else {}
    for name in arguments.parts:
        if name == "embedding" and arguments.reports is None:
            print("embedding is left out: it needs --reports")
            continue
        measured = {
            "machine": describe_machine(device),
            "versions": package_versions(),
            "threads": torch.get_num_threads(),
            "repeats": arguments.repeats,
            **_measure(name, arguments, device),
        }
        print(json.dumps({name: measured}, indent=1), flush=True)
        parts[f"{name}_{device.type}"] = measured
        arguments.docs.mkdir(parents=True, exist_ok=True)
        write_text(file, json.dumps({**figures(parts), "parts": parts}, indent=1) + "\n")
        write_text(file.with_suffix(".md"), page(parts))


def _measure(name: str, arguments: argparse.Namespace, device: torch.device) -> dict[str, Any]:
    repeats = arguments.repeats
    if name == "startup":
        return startup.measure(repeats)
    if name == "prediction":
        return prediction.measure(device, arguments.volume)
    if name == "embedding":
        return embedding.measure(device, arguments.reports)
    if name == "loading":
        return training.measure_loading(repeats)
    if name == "kept":
        return {"patch": list(kept.PATCH), **kept.measure(kept.PATCH, arguments.architectures)}
    part = findings if name == "findings" else training
    patch = tuple(arguments.patch or part.PATCHES[device.type])
    if name == "findings":
        return {"patch": list(patch), **findings.measure(device, patch, repeats)}
    return {"patch": list(patch), **training.measure_steps(device, patch, arguments.architectures, repeats)}


if __name__ == "__main__":
    main()
