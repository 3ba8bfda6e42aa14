r"""Time and size of what reports add, beside stock nnU-Net, each ratio measured in one run.

    python benchmarks/performance.py                       # all parts at the scale of two CPU cores
    python benchmarks/performance.py --parts findings --patch 32 64 64 --repeats 5

Writes ``docs/results/performance.json``; parts that are not run keep their figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from speed import findings

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.demo.machine import describe_machine, package_versions

FILE = "performance.json"
Part = Callable[[torch.device, tuple[int, int, int], int], dict[str, Any]]
PARTS: Mapping[str, Part] = {"findings": findings.measure}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", type=Path, default=Path("docs/results"), help="folder of the results")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--patch", type=int, nargs=3, default=(32, 64, 64), help="voxels, z y x")
    parser.add_argument("--repeats", type=int, default=5, help="of which the median counts")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    file = arguments.docs / FILE
    content = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for name in arguments.parts:
        content[f"{name}_{device.type}"] = {
            "machine": describe_machine(device),
            "versions": package_versions(),
            "threads": torch.get_num_threads(),
            "patch": list(arguments.patch),
            "repeats": arguments.repeats,
            **PARTS[name](device, tuple(arguments.patch), arguments.repeats),
        }
        print(json.dumps({name: content[f"{name}_{device.type}"]}, indent=1), flush=True)
    arguments.docs.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
