"""The datasets: a phantom with overlapping findings, and real nodules implanted into real CT volumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from following.settings import Settings
from following.tasks import SPACING, Task, implants_task
from nnunet_reportseg.data.phantom import write_phantom

FINDINGS = "findings"
DATASET = 521
PATCHES = (5, 4, 8)  # in the volume, z y x: room for lesions a patch away from all else (docs/data_generators.md)


def findings_task(settings: Settings) -> Task:
    """Nodules and ground-glass opacities, which overlap, at four sites; patches show nothing of their place."""
    depth, height, width = settings.patch
    return Task(
        name=FINDINGS,
        dataset_id=DATASET,
        attributes=(),
        write=lambda raw: write_phantom(
            raw,
            dataset_id=DATASET,
            name="GroundFindings",
            num_training=settings.cases,
            num_test_volumes=settings.test_volumes,
            shape=(PATCHES[0] * depth, PATCHES[1] * height, PATCHES[2] * width),
            spacing_mm=SPACING,
            task=FINDINGS,
            clear_margin=(depth - 1, height - 1, width - 1),
            seed=settings.data_seed,
        ),
    )


def implanted_task(settings: Settings, volumes: Sequence[Path], nodules: Path) -> Task:
    """The implants of the text-following benchmark, asked for one by one."""
    return replace(implants_task(settings, volumes, nodules), budget=1)
