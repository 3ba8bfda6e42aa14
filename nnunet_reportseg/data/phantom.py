"""The phantom: a synthetic benchmark that needs no download and cannot be solved without reading the report.

Paired, but for the task "findings", whose test cases are asked for one finding at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_reportseg.data.findings_dataset import FindingsDatasetWriter
from nnunet_reportseg.data.lesion_volume import LesionVolume
from nnunet_reportseg.data.paired_dataset import PairedDatasetWriter
from nnunet_reportseg.data.paired_options import (
    FORMS_STREAM,
    TEST_STREAM,
    TRAINING_STREAM,
    PairedOptions,
    require_moderate_size,
)
from nnunet_reportseg.data.phantom_anatomy import draw_anatomy
from nnunet_reportseg.data.phantom_findings_reports import write_test_report, write_training_report
from nnunet_reportseg.data.phantom_findings_volumes import FindingsVolume, draw_findings
from nnunet_reportseg.data.phantom_lesions import lesion_kernel, place_lesions
from nnunet_reportseg.data.phantom_options import lesion_range, read_task, require_margin
from nnunet_reportseg.data.phantom_room import draw_with_room, require_room
from nnunet_reportseg.data.phantom_styles import style_of
from nnunet_reportseg.data.phantom_task import PhantomTask
from nnunet_reportseg.data.phantom_volumes import VolumePlan, draw_in_chest, phantom_image
from nnunet_reportseg.data.report_forms import write_test_reports
from nnunet_reportseg.errors import DatasetError


def write_phantom(
    raw_root: Path,
    *,
    dataset_id: int = 501,
    name: str = "ReportPhantom",
    num_training: int = 40,
    num_test_volumes: int = 8,
    shape: tuple[int, int, int] = (16, 40, 40),
    spacing_mm: tuple[float, float, float] = (10, 8, 8),
    seed: int = 0,
    lesions: tuple[int, int] | None = None,
    task: str = "site",
    clear_margin: tuple[int, int, int] | None = None,
) -> Path:
    """Write the phantom as a raw nnU-Net dataset with reports.

    Args:
        raw_root: The folder of raw datasets (nnUNet_raw); made if absent.
        dataset_id: nnU-Net's number of the dataset.
        name: Name after the number.
        num_training: Training cases; every second one has all its lesions described. In the task "negation" the
            left, the right, both and none persist in turn.
        num_test_volumes: Test volumes; each becomes one test case per lesion, in the task "findings" one.
        shape: Array shape (z, y, x).
        spacing_mm: Voxel spacing (z, y, x).
        seed: The same seed gives the same dataset. Training and test volumes draw from separate streams.
        lesions: Fewest and most lesions in a volume, in the task "findings" sites with findings; None is 2 to 4 for
            these two tasks, and always 2 for the others.
        task: What the report decides by: "site", "laterality", "size", "negation" or "findings"
            (:class:`PhantomTask`).
        clear_margin: Voxels (z, y, x) around each voxel of a lesion that are its lung and nothing else, findings at
            the same site aside; None asks for none. The task "site" takes the chest of the other tasks with it, whose
            lungs have more room.

    Returns:
        The dataset folder.

    Raises:
        DatasetError: The dataset exists already, an argument is out of range, or a lesion does not fit into the
            lungs of this shape.
    """
    kind = read_task(task)
    number = lesion_range(kind, lesions)
    options = PairedOptions(Path(raw_root), dataset_id, name, num_training, num_test_volumes, number, spacing_mm, seed)
    if min(shape) < 1:
        raise DatasetError.about("the shape must be positive", value=shape, fix="give three positive numbers (z y x)")
    require_moderate_size(shape)
    require_margin(clear_margin)
    plan = VolumePlan(kind, shape, spacing_mm, clear_margin)
    facts = {
        "seed": seed,
        "shape": list(shape),
        "spacing_mm": list(spacing_mm),
        "task": kind.value,
        "clear_margin": None if clear_margin is None else list(clear_margin),
    }
    write = _write_findings if kind is PhantomTask.FINDINGS else _write_paired
    return write(options, plan, facts)


def _write_paired(options: PairedOptions, plan: VolumePlan, facts: dict[str, Any]) -> Path:
    style = style_of(plan.task)
    writer = PairedDatasetWriter(options, generator="phantom")
    draw = _drawer(plan, options.draw_count)
    with writer:
        writer.add_facts(facts)
        for index in range(options.num_training):
            rng = options.rng(TRAINING_STREAM, index)
            volume = draw(f"train_{index:03d}", rng)
            writer.add_training_volume(volume, style.training_report(volume.lesions, index, rng))
        for index in range(options.num_test_volumes):
            rng, forms_rng = options.rng(TEST_STREAM, index), options.rng(FORMS_STREAM, index)
            volume = draw(f"test_{index:03d}", rng)
            writer.add_test_volume(volume, write_test_reports(volume.lesions, style, rng, forms_rng))
    return writer.folder


def _write_findings(options: PairedOptions, plan: VolumePlan, facts: dict[str, Any]) -> Path:
    writer = FindingsDatasetWriter(options, generator="phantom")
    require_room(plan)

    def draw(volume_id: str, rng: np.random.Generator) -> FindingsVolume:
        count = options.draw_count(rng)
        return draw_with_room(plan, lambda patient: draw_findings(plan, volume_id, patient, count, rng), rng)

    with writer:
        writer.add_facts(facts)
        for index in range(options.num_training):
            rng = options.rng(TRAINING_STREAM, index)
            volume = draw(f"train_{index:03d}", rng)
            writer.add_training_volume(volume, *write_training_report(volume.findings, index, rng))
        for index in range(options.num_test_volumes):
            rng = options.rng(TEST_STREAM, index)
            volume = draw(f"test_{index:03d}", rng)
            writer.add_test_volume(volume, *write_test_report(volume.findings, rng))
    return writer.folder


def _drawer(
    plan: VolumePlan, draw_count: Callable[[np.random.Generator], int]
) -> Callable[[str, np.random.Generator], LesionVolume]:
    """What draws a volume of this name."""
    if plan.task is not PhantomTask.SITE or plan.margin is not None:
        require_room(plan)

        def draw_roomy(volume_id: str, rng: np.random.Generator) -> LesionVolume:
            count = draw_count(rng)
            return draw_with_room(plan, lambda patient: draw_in_chest(plan, volume_id, patient, count, rng), rng)

        return draw_roomy
    kernel = lesion_kernel(plan.shape, plan.spacing_mm)

    def draw(volume_id: str, rng: np.random.Generator) -> LesionVolume:
        anatomy = draw_anatomy(plan.shape, rng)
        hu, lesion_map, placed = place_lesions(anatomy, kernel, draw_count(rng), rng)
        return LesionVolume(volume_id, phantom_image(hu, plan.spacing_mm, rng), lesion_map, placed)

    return draw
