"""Implants: real nodules put into real CT volumes, so that a paired benchmark has real texture.

The site is ours, so the truth is known; size, texture and margin come from the table of the nodules. The reports are
templated, not written by radiologists. What the CT showed before stays in it and is neither described nor labelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnunet_reportseg.data.ct_volume import volume_files
from nnunet_reportseg.data.implants_host import implant, read_host, usable_nodules
from nnunet_reportseg.data.implants_nodules import Nodule, read_nodules, split_nodules
from nnunet_reportseg.data.implants_wording import TEST_WORDING, TRAINING_WORDING
from nnunet_reportseg.data.lesion_volume import LesionVolume
from nnunet_reportseg.data.paired_dataset import PairedDatasetWriter
from nnunet_reportseg.data.paired_options import (
    FORMS_STREAM,
    SPLIT_STREAM,
    TEST_STREAM,
    TRAINING_STREAM,
    PairedOptions,
)
from nnunet_reportseg.data.report_forms import write_test_reports
from nnunet_reportseg.data.report_style import site_style
from nnunet_reportseg.errors import DatasetError

TEST_SHARE = 0.25


def write_implants(
    raw_root: Path,
    *,
    volumes: Sequence[Path],
    nodules: Path,
    lungs: Path | None = None,
    dataset_id: int = 502,
    name: str = "ReportImplants",
    num_training: int = 24,
    num_test_volumes: int = 6,
    spacing_mm: tuple[float, float, float] | None = None,
    seed: int = 0,
    lesions: tuple[int, int] = (2, 4),
    min_voxels: int = 20,
) -> Path:
    """Write the implants as a raw nnU-Net dataset with reports, in the layout of the phantom.

    Nodules are divided between training and test by patient. So are the CT volumes when there is more than one; a
    single CT serves both, which the manifest states (``volumes_shared``).

    Args:
        raw_root: The folder of raw datasets (nnUNet_raw); made if absent.
        volumes: Chest CT files, or folders of them, in HU and in any orientation.
        nodules: Folder with ``image/``, ``mask/`` and ``nodules.csv``.
        lungs: Folder of lung masks named like the volumes; None finds the lungs.
        dataset_id: nnU-Net's number of the dataset.
        name: Name after the number.
        num_training: Training cases; every second one has all its nodules described.
        num_test_volumes: Test volumes; each becomes one test case per nodule.
        spacing_mm: Spacing to resample to, in array order (z, y, x) of the files; None keeps each file's.
        seed: The same seed and input give the same dataset.
        lesions: Fewest and most nodules in a volume, 2 to 4.
        min_voxels: Nodules with fewer voxels at this spacing are not used.

    Returns:
        The dataset folder.

    Raises:
        DatasetError: No lungs are found, no nodule fits, an input cannot be read, the dataset exists already, or an
            argument is out of range.
    """
    options = PairedOptions(Path(raw_root), dataset_id, name, num_training, num_test_volumes, lesions, spacing_mm, seed)
    writer = PairedDatasetWriter(options, generator="implants")
    files = volume_files(volumes)
    rng = options.rng(SPLIT_STREAM)
    training_nodules, test_nodules = split_nodules(read_nodules(nodules), TEST_SHARE, rng)
    training_files, test_files = _split_files(files, rng)
    common = _Common(options, lungs, min_voxels)
    style = site_style(TRAINING_WORDING, TEST_WORDING)
    with writer:
        writer.add_facts(
            {
                "seed": seed,
                "spacing_mm": None if spacing_mm is None else list(spacing_mm),
                "volumes_shared": len(files) == 1,
            }
        )
        for index, rng, volume in _fill("train", num_training, training_files, training_nodules, common):
            writer.add_training_volume(volume, style.training_report(volume.lesions, index, rng))
        for index, rng, volume in _fill("test", num_test_volumes, test_files, test_nodules, common):
            forms_rng = options.rng(FORMS_STREAM, index)
            writer.add_test_volume(volume, write_test_reports(volume.lesions, style, rng, forms_rng))
    return writer.folder


@dataclass(frozen=True)
class _Common:
    """What training and test volumes have in common."""

    options: PairedOptions
    lungs: Path | None
    min_voxels: int


def _split_files(files: tuple[Path, ...], rng: np.random.Generator) -> tuple[list[Path], list[Path]]:
    """Divide the CTs into training and test; a single one serves both."""
    if len(files) == 1:
        return [files[0]], [files[0]]
    count = max(1, round(TEST_SHARE * len(files)))
    order = rng.permutation(len(files))
    return [files[i] for i in sorted(order[count:])], [files[i] for i in sorted(order[:count])]


def _fill(
    split: str, count: int, files: Sequence[Path], nodules: Sequence[Nodule], common: _Common
) -> Iterator[tuple[int, np.random.Generator, LesionVolume]]:
    """Yield ``count`` filled volumes. The CTs take turns, but each is read only once."""
    stream = TRAINING_STREAM if split == "train" else TEST_STREAM
    needed = common.options.lesions[1]
    for turn, file in enumerate(files[:count]):
        host = read_host(file, common.options.spacing_mm, common.lungs)
        usable = usable_nodules(nodules, host, common.min_voxels)
        if len(usable) < needed:
            raise DatasetError.about(
                f"{len(usable)} of {len(nodules)} nodules keep {common.min_voxels} voxels at this spacing; "
                f"{needed} are needed",
                file=file,
                fix="choose a finer spacing, a smaller --min-voxels, or give more nodules",
            )
        for index in range(turn, count, len(files)):
            rng = common.options.rng(stream, index)
            yield index, rng, implant(host, usable, common.options.draw_count(rng), f"{split}_{index:03d}", rng)
