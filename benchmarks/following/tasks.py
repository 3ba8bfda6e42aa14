"""The tasks of the benchmark: datasets whose lesions only the report can tell apart.

Four are phantoms. The fifth, real nodules implanted into real CT volumes, needs both (docs/data_generators.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from following.settings import Settings
from nnunet_reportseg.data.implants import write_implants
from nnunet_reportseg.data.phantom import write_phantom

FIRST_DATASET = 511
SPACING = (8.0, 4.0, 4.0)
# Shapes "with play" of docs/data_generators.md for a margin of (7, 11, 11) voxels; one lesion at each of the four sites
# makes "site" the 1-of-4 task.
SHAPES = {
    "site": (36, 44, 92),
    "laterality": (24, 44, 92),
    "size": (40, 48, 98),
    "negation": (24, 44, 92),
}
IMPLANTS = "implants"
# Iterations as a multiple of the scale's: four places take longer to tell apart than two, and so does real anatomy.
# So does what has resolved, for it is in every image: samples without a report contradict each other. Sizes take
# longest: a patch with a part of the larger nodule looks much like one with the smaller.
BUDGETS = {"site": 2, "laterality": 1, "size": 4, "negation": 2, IMPLANTS: 2}
# Test volumes of the phantom as a multiple of the scale's: with bars of one hundredth, one lesion of sixteen is too
# coarse a measure.
TEST_VOLUMES = 3
IMPLANTS_SPACING = (5.0, 2.5, 2.5)
LEAST_VOXELS = 40  # of a nodule at this spacing
# What the reports of a task tell: two lesions that differ in one of these alone are a pair for its follow rate.
ATTRIBUTES = {
    "site": ("side", "level"),
    "laterality": ("side",),
    "size": ("size",),
    "negation": ("state",),
    IMPLANTS: ("side", "level"),
}


@dataclass(frozen=True)
class Task:
    """A paired dataset.

    Attributes:
        name: of the benchmark.
        dataset_id: nnU-Net's number.
        attributes: of lesions, that the reports tell.
        write: writes the raw dataset into a folder of raw datasets and returns its folder.
        budget: iterations as a multiple of those of the scale.
    """

    name: str
    dataset_id: int
    attributes: tuple[str, ...]
    write: Callable[[Path], Path]
    budget: int = 1


def phantom_tasks(settings: Settings) -> dict[str, Task]:
    """The phantom in four tasks, with patches that show nothing of their place."""
    return {
        name: _phantom_task(name, FIRST_DATASET + number, shape, settings)
        for number, (name, shape) in enumerate(SHAPES.items())
    }


def implants_task(settings: Settings, volumes: Sequence[Path], nodules: Path) -> Task:
    """Real nodules in real CT, no nodule and, where there are several, no volume in both training and test.

    Args:
        settings: scale.
        volumes: CT volumes.
        nodules: folder with ``image/``, ``mask/`` and ``nodules.csv``.
    """
    dataset_id = FIRST_DATASET + len(SHAPES)
    return Task(
        name=IMPLANTS,
        dataset_id=dataset_id,
        attributes=ATTRIBUTES[IMPLANTS],
        write=lambda raw: write_implants(
            raw,
            volumes=volumes,
            nodules=nodules,
            dataset_id=dataset_id,
            name="FollowImplants",
            num_training=settings.cases,
            num_test_volumes=settings.test_volumes,
            spacing_mm=IMPLANTS_SPACING,
            min_voxels=LEAST_VOXELS,
            seed=settings.data_seed,
        ),
        budget=BUDGETS[IMPLANTS],
    )


def _phantom_task(name: str, dataset_id: int, shape: tuple[int, int, int], settings: Settings) -> Task:
    depth, height, width = (size - 1 for size in settings.patch)
    return Task(
        name=name,
        dataset_id=dataset_id,
        attributes=ATTRIBUTES[name],
        write=lambda raw: write_phantom(
            raw,
            dataset_id=dataset_id,
            name=f"Follow{name.capitalize()}",
            num_training=settings.cases,
            num_test_volumes=settings.test_volumes * TEST_VOLUMES,
            shape=shape,
            spacing_mm=SPACING,
            lesions=(4, 4) if name == "site" else None,
            task=name,
            clear_margin=(depth, height, width),
            seed=settings.data_seed,
        ),
        budget=BUDGETS[name],
    )
