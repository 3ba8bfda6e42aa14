"""The phantom: a synthetic paired benchmark that needs no download and cannot be solved without reading the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.lesion_volume import LesionVolume
from nnunet_reportseg.data.paired_dataset import PairedDatasetWriter
from nnunet_reportseg.data.paired_options import (
    FORMS_STREAM,
    TEST_STREAM,
    TRAINING_STREAM,
    PairedOptions,
    require_moderate_size,
)
from nnunet_reportseg.data.phantom_anatomy import NOISE_HU, draw_anatomy
from nnunet_reportseg.data.phantom_lesions import LesionKernel, lesion_kernel, place_lesions
from nnunet_reportseg.data.phantom_wording import TEST_WORDING, TRAINING_WORDING
from nnunet_reportseg.data.report_forms import write_test_reports
from nnunet_reportseg.data.report_style import site_style
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
    lesions: tuple[int, int] = (2, 4),
) -> Path:
    """Write the phantom as a raw nnU-Net dataset with reports.

    Args:
        raw_root: The folder of raw datasets (nnUNet_raw); made if absent.
        dataset_id: nnU-Net's number of the dataset.
        name: Name after the number.
        num_training: Training cases; every second one has all its lesions described.
        num_test_volumes: Test volumes; each becomes one test case per lesion.
        shape: Array shape (z, y, x).
        spacing_mm: Voxel spacing (z, y, x).
        seed: The same seed gives the same dataset. Training and test volumes draw from separate streams.
        lesions: Fewest and most lesions in a volume, 2 to 4.

    Returns:
        The dataset folder.

    Raises:
        DatasetError: The dataset exists already, an argument is out of range, or a lesion does not fit into the
            lungs of this shape.
    """
    options = PairedOptions(Path(raw_root), dataset_id, name, num_training, num_test_volumes, lesions, spacing_mm, seed)
    if min(shape) < 1:
        raise DatasetError.about("the shape must be positive", value=shape, fix="give three positive numbers (z y x)")
    require_moderate_size(shape)
    kernel = lesion_kernel(shape, spacing_mm)
    style = site_style(TRAINING_WORDING, TEST_WORDING)

    def draw(volume_id: str, rng: np.random.Generator) -> LesionVolume:
        return _draw_volume(volume_id, shape, spacing_mm, kernel, options.draw_count, rng)

    with PairedDatasetWriter(options, generator="phantom") as writer:
        writer.add_facts({"seed": seed, "shape": list(shape), "spacing_mm": list(spacing_mm)})
        for index in range(num_training):
            rng = options.rng(TRAINING_STREAM, index)
            volume = draw(f"train_{index:03d}", rng)
            writer.add_training_volume(volume, style.training_report(volume.lesions, index, rng))
        for index in range(num_test_volumes):
            rng, forms_rng = options.rng(TEST_STREAM, index), options.rng(FORMS_STREAM, index)
            volume = draw(f"test_{index:03d}", rng)
            writer.add_test_volume(volume, write_test_reports(volume.lesions, style, rng, forms_rng))
    return writer.folder


def _draw_volume(
    volume_id: str,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    kernel: LesionKernel,
    draw_count: Callable[[np.random.Generator], int],
    rng: np.random.Generator,
) -> LesionVolume:
    anatomy = draw_anatomy(shape, rng)
    hu, lesion_map, placed = place_lesions(anatomy, kernel, draw_count(rng), rng)
    hu = hu + rng.normal(0, NOISE_HU, size=shape)
    image = sitk.GetImageFromArray(np.clip(np.rint(hu), -1024, 3071).astype(np.int16))
    image.SetSpacing([float(step) for step in reversed(spacing_mm)])
    image.SetOrigin([-(n - 1) / 2 * float(step) for n, step in zip(reversed(shape), reversed(spacing_mm), strict=True)])
    return LesionVolume(volume_id, image, lesion_map, placed)
