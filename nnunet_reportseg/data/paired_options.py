"""What the generators of paired datasets have in common: options that are checked, and streams of random numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnunet_reportseg.data.sites import SITES
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.text_file import unusable_character

# Each draws from a stream of its own, so that more cases keep the first ones. FORMS: the other forms of test reports.
TRAINING_STREAM, TEST_STREAM, SPLIT_STREAM, FORMS_STREAM = 0, 1, 2, 3
SPACING_RANGE_MM = (0.01, 1000.0)
MAX_VOXELS = 2**30  # 1024 along each axis; about 20 GB while a volume is made


@dataclass(frozen=True)
class PairedOptions:
    """Options of a paired dataset.

    Attributes:
        raw_root: The folder of raw datasets (nnUNet_raw).
        dataset_id: nnU-Net's number, 1 to 999.
        name: Name after the number.
        num_training: Training cases.
        num_test_volumes: Test volumes.
        lesions: Fewest and most lesions in a volume.
        spacing_mm: Spacing (z, y, x); None where the input decides.
        seed: Decides everything that is random.

    Raises:
        DatasetError: An option is out of range.
    """

    raw_root: Path
    dataset_id: int
    name: str
    num_training: int
    num_test_volumes: int
    lesions: tuple[int, int]
    spacing_mm: tuple[float, float, float] | None
    seed: int

    def __post_init__(self) -> None:
        """Check every option."""
        if unusable_character(str(self.raw_root)) is not None:  # see path_for_reader; writing is no better
            raise DatasetError.about("the path is not UTF-8", file=self.raw_root, fix="choose another folder")
        if not 1 <= self.dataset_id <= 999:
            raise DatasetError.about("dataset id out of range", value=self.dataset_id, fix="choose 1 to 999")
        if not self.name.isidentifier():
            raise DatasetError.about("unusable dataset name", value=self.name, fix="use letters, digits and _ only")
        if not 2 <= self.lesions[0] <= self.lesions[1] <= len(SITES):
            raise DatasetError.about(
                "number of lesions out of range",
                value=self.lesions,
                fix=f"give fewest and most, within 2 to {len(SITES)}",
            )
        if self.num_training < 1 or self.num_test_volumes < 0:
            raise DatasetError.about(
                "number of training cases and test volumes out of range",
                value=(self.num_training, self.num_test_volumes),
                fix="give at least 1 training case and no negative number of test volumes",
            )
        low, high = SPACING_RANGE_MM
        if self.spacing_mm is not None and not all(low <= step <= high for step in self.spacing_mm):
            raise DatasetError.about(
                "spacing out of range",
                value=self.spacing_mm,
                fix=f"give three numbers (z y x) from {low} to {high:.0f} mm",
            )
        if self.seed < 0:
            raise DatasetError.about("the seed is negative", value=self.seed, fix="give 0 or a positive whole number")

    def rng(self, stream: int, *index: int) -> np.random.Generator:
        """The random numbers of one stream, or of one volume of it."""
        return np.random.default_rng([self.seed, stream, *index])

    def draw_count(self, rng: np.random.Generator) -> int:
        """How many lesions a volume gets."""
        return int(rng.integers(self.lesions[0], self.lesions[1] + 1))


def require_moderate_size(shape: tuple[int, ...], *, file: Path | None = None) -> None:
    """Make sure that a volume can be made at all, before anything is allocated.

    Raises:
        DatasetError: It has too many voxels.
    """
    if math.prod(shape) > MAX_VOXELS:
        raise DatasetError.about(
            f"a volume of more than {MAX_VOXELS} voxels",
            file=file,
            value=shape,
            fix="choose fewer voxels or a coarser spacing",
        )
