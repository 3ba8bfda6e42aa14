"""Runs of the benchmark: each in a process of its own, so that none can stop or disturb another; finished ones stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from following.settings import Settings
from following.variants import VARIANTS
from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.embedding import ENCODER_VARIABLE
from nnunet_reportseg.trainer_folder import SEARCH_PATH

RUNS = "runs"
TRAINERS = Path(__file__).parent / "trainers"
MESSAGE_LINES = 12
Launch = Callable[["RunSpec", Path], int]


@dataclass(frozen=True)
class RunSpec:
    """One training and its evaluation.

    Attributes:
        benchmark: name of the task.
        dataset: folder name of the raw dataset.
        attributes: that the task's reports tell.
        variant: name in VARIANTS.
        seed: of the training.
        settings: scale.
        out: output folder of the benchmark.
        threads: of torch on the CPU.
    """

    benchmark: str
    dataset: str
    attributes: tuple[str, ...]
    variant: str
    seed: int
    settings: Settings
    out: Path
    threads: int = 1

    @property
    def result_file(self) -> Path:
        """Where the finished run is kept."""
        return self.out / RUNS / self.benchmark / f"{self.variant}_s{self.seed}.json"

    @property
    def failure_file(self) -> Path:
        """Where a failure is recorded."""
        return self.result_file.with_suffix(".failed.json")

    def to_json(self) -> str:
        """The spec as the process of the run takes it."""
        return json.dumps({**asdict(self), "out": str(self.out)})

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """The same again."""
        values: dict[str, Any] = json.loads(text)
        return cls(
            **{
                **values,
                "attributes": tuple(values["attributes"]),
                "settings": Settings.from_json(values["settings"]),
                "out": Path(values["out"]),
            }
        )


def launch(spec: RunSpec, log: Path) -> int:
    """Run in a process of its own; the exit code."""
    packages = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, packages)),
        "OMP_NUM_THREADS": str(spec.threads),
        ENCODER_VARIABLE: VARIANTS[spec.variant].encoder,
        SEARCH_PATH: os.pathsep.join([str(TRAINERS), os.environ.get(SEARCH_PATH, "")]),
    }
    with log.open("w", encoding="utf-8") as stream:
        command = [sys.executable, "-m", "following.one_run", spec.to_json()]
        return subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, env=environment, check=False).returncode


def run_all(
    specs: Sequence[RunSpec], *, at_once: int = 1, tell: Callable[[str], None] = print, start: Launch = launch
) -> None:
    """Run what is not finished yet. A failure is recorded and tried again by the next call.

    Args:
        specs: the runs, in order.
        at_once: how many at the same time.
        tell: shows a line.
        start: runs one and returns the exit code.
    """
    waiting = [spec for spec in specs if not spec.result_file.is_file()]
    tell(f"{len(specs) - len(waiting)} of {len(specs)} runs are finished already")
    with ThreadPoolExecutor(at_once) as pool:
        for line in pool.map(lambda spec: _run(spec, start), waiting):
            tell(line)


def _run(spec: RunSpec, start: Launch) -> str:
    spec.result_file.parent.mkdir(parents=True, exist_ok=True)
    spec.failure_file.unlink(missing_ok=True)
    log = spec.result_file.with_suffix(".log")
    name = f"{spec.benchmark} {spec.variant} seed {spec.seed}"
    code = start(spec, log)
    if code == 0 and spec.result_file.is_file():
        return f"{name}: {_figures(json.loads(spec.result_file.read_text(encoding='utf-8')))}"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    message = "\n".join([line for line in lines if line.strip()][-MESSAGE_LINES:])
    record = {"benchmark": spec.benchmark, "variant": spec.variant, "seed": spec.seed}
    write_text(spec.failure_file, json.dumps({**record, "exit_code": code, "message": message}, indent=1) + "\n")
    return f"{name}: failed with exit code {code}, see {log}"


def _figures(result: Mapping[str, Any]) -> str:
    correct = next(row for row in result["rows"] if row["condition"] == "correct")
    return (
        f"Dice {correct['dice']:.3f}, follow rate {correct['follow_rate']:.2f}, "
        f"{result['training_seconds']:.0f} s of training, {result['prediction_seconds']:.0f} s of prediction"
    )
