"""Scale of a benchmark: the same budget for every variant, so that their figures can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from following.errors import BenchmarkError
from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.demo.job import SHORT_TRAINING

FILE = "settings.json"
EPOCHS = 10  # steps of nnU-Net's learning rate schedule


@dataclass(frozen=True)
class Settings:
    """What all runs of an output folder have in common.

    Attributes:
        iterations: of a training, in ten epochs; a task may take a multiple of them (following.tasks.BUDGETS).
        batch_size: of the configuration.
        features: of the first stage.
        stages: resolutions of the network, the bottleneck's among them.
        cases: training cases.
        test_volumes: test volumes, one test case per lesion each.
        patch: patch size, z y x.
        step_size: step of the sliding window, in tiles.
        mirroring: whether predictions are averaged over flips, as nnU-Net's own are.
        short_recipe: AdamW at 2e-3 for all of the network, for trainings of some hundred iterations; else the
            default recipe of the package.
        data_seed: of the dataset.
    """

    iterations: int = 600
    batch_size: int = 6
    features: int = 8
    stages: int = 3
    cases: int = 40
    test_volumes: int = 6
    patch: tuple[int, int, int] = (8, 12, 12)
    step_size: float = 0.75
    mirroring: bool = False
    short_recipe: bool = True
    data_seed: int = 0

    @property
    def recipe(self) -> dict[str, Any]:
        """Changes of the training recipe that hold for all variants."""
        return dict(SHORT_TRAINING) if self.short_recipe else {}

    @property
    def epoch_iterations(self) -> int:
        """Iterations of an epoch."""
        return max(1, round(self.iterations / EPOCHS))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Settings:
        """The settings from what :func:`dataclasses.asdict` gave, after JSON."""
        return cls(**{**values, "patch": tuple(values["patch"])})


def read_settings(out: Path) -> Settings:
    """The settings of an output folder.

    Raises:
        BenchmarkError: it is none.
    """
    file = out / FILE
    if not file.is_file():
        raise BenchmarkError(f"{file} is missing: {out} is no output folder of this benchmark. Run it first.")
    return Settings.from_json(json.loads(file.read_text(encoding="utf-8")))


def keep_settings(out: Path, settings: Settings) -> None:
    """Write the settings into an output folder, or make sure that its runs have the same.

    Raises:
        BenchmarkError: they differ.
    """
    file = out / FILE
    if not file.is_file():
        write_text(file, json.dumps(asdict(settings), indent=1) + "\n")
        return
    known = asdict(read_settings(out))
    given = asdict(settings)
    changed = [f"{name}: {known[name]} there, {given[name]} now" for name in given if known[name] != given[name]]
    if changed:
        raise BenchmarkError(
            f"{out} holds runs with other settings ({'; '.join(changed)}). Give the same, or choose another --out."
        )
