"""Runs of the benchmark: each in a process of its own, so that none can stop or disturb another; finished ones stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from following.settings import Settings
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


def launch(spec: RunSpec, log: Path, *, module: str, encoder: str) -> int:
    """Run in a process of its own.

    Args:
        spec: the run.
        log: for its output.
        module: that does it, with the spec as JSON for its only argument.
        encoder: of the embedding bank.

    Returns:
        The exit code.
    """
    packages = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, packages)),
        "OMP_NUM_THREADS": str(spec.threads),
        ENCODER_VARIABLE: encoder,
        SEARCH_PATH: os.pathsep.join([str(TRAINERS), os.environ.get(SEARCH_PATH, "")]),
    }
    with log.open("w", encoding="utf-8") as stream:
        command = [sys.executable, "-m", module, spec.to_json()]
        return subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, env=environment, check=False).returncode


def run_all(specs: Sequence[RunSpec], start: Launch, *, at_once: int = 1, tell: Callable[[str], None] = print) -> None:
    """Run what is not finished yet. A failure is recorded and tried again by the next call.

    Args:
        specs: the runs, in order.
        start: runs one, writes ``result_file`` and a log, and returns the exit code.
        at_once: how many at the same time.
        tell: shows a line.
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
        return f"{name}: {json.loads(spec.result_file.read_text(encoding='utf-8'))['line']}"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    message = "\n".join([line for line in lines if line.strip()][-MESSAGE_LINES:])
    record = {"benchmark": spec.benchmark, "variant": spec.variant, "seed": spec.seed}
    write_text(spec.failure_file, json.dumps({**record, "exit_code": code, "message": message}, indent=1) + "\n")
    return f"{name}: failed with exit code {code}, see {log}"
