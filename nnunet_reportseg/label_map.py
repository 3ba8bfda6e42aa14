"""A segmentation file as nnU-Net reads it: voxel values, which must be label values, and the grid they lie on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.grid import Grid
from nnunet_reportseg.image_errors import path_for_reader, reading_errors, reason, require_whole

MAX_LABEL_VALUE = 65535  # nnU-Net writes segmentations with at most 16 bits


@dataclass(frozen=True)
class LabelMap:
    """A segmentation.

    Attributes:
        voxels: Label values in nnU-Net's axis order, ``(D, H, W)``.
        grid: Where the voxels lie.
    """

    voxels: NDArray[np.int64]
    grid: Grid

    @cached_property
    def values(self) -> frozenset[int]:
        """All values that occur."""
        return frozenset(np.flatnonzero(np.bincount(self.voxels.ravel())).tolist())


def read_label_map(file: Path, reader: str, *, case: str) -> LabelMap:
    """Read a label file with nnU-Net's own reader.

    Args:
        file: The label file.
        reader: Name of nnU-Net's reader class.
        case: Case identifier, for messages.

    Raises:
        DatasetError: The file is missing, cannot be read, has several channels, or holds a voxel that is no label
            value.
    """
    from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

    if not file.is_file():
        raise DatasetError.about("the label file is missing", case=case, file=file, fix="add it")
    try:
        require_whole(file)
        channels, properties = recursive_find_reader_writer_by_name(reader)().read_seg(path_for_reader(file))
    except reading_errors() as error:
        raise DatasetError.about(
            f"the label file cannot be read ({reason(error)})",
            case=case,
            file=file,
            fix="check the file; it may be damaged",
        ) from error
    if len(channels) != 1:
        raise DatasetError.about(
            "the label file has several channels", case=case, file=file, value=len(channels), fix="keep one channel"
        )
    voxels = channels[0]
    wrong = ~((voxels == np.rint(voxels)) & (voxels >= 0) & (voxels <= MAX_LABEL_VALUE))
    if wrong.any():
        raise DatasetError.about(
            f"{int(wrong.sum())} voxels of the label file are no label values",
            case=case,
            file=file,
            value=float(voxels[wrong][0]),
            fix=f"write whole numbers from 0 to {MAX_LABEL_VALUE}; resample labels with nearest neighbour",
        )
    return LabelMap(voxels.astype(np.int64), Grid.of_properties(voxels.shape, properties))
