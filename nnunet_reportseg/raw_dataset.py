"""A raw nnU-Net dataset as far as reports need it: its cases, its label values, and how to read a label file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.errors import DatasetError

DATASET_JSON = "dataset.json"


@dataclass(frozen=True)
class RawCase:
    """Files of one training case.

    Attributes:
        images: One file per channel.
        labels: The label file.
    """

    images: tuple[Path, ...]
    labels: Path


@dataclass(frozen=True)
class LabelSet:
    """Foreground of a ``dataset.json``.

    Attributes:
        regions: Voxel values of every label or region but the background, by name.
        ignore_label: Value of voxels that count neither way, or ``None``.
        file_ending: Ending of image and label files, for example ``.nii.gz``.
        reader: Name of nnU-Net's reader and writer class for that ending.
    """

    regions: Mapping[str, tuple[int, ...]]
    ignore_label: int | None
    file_ending: str
    reader: str

    @property
    def values(self) -> frozenset[int]:
        """All voxel values that belong to some label or region."""
        return frozenset(value for region in self.regions.values() for value in region)

    def read(self, file: Path) -> NDArray[np.int64]:
        """Read a label file with nnU-Net's own reader.

        Args:
            file: The label file.

        Returns:
            Voxel values in nnU-Net's axis order, ``(D, H, W)``.

        Raises:
            DatasetError: The file is missing or cannot be read.
        """
        from nnunetv2.imageio.reader_writer_registry import recursive_find_reader_writer_by_name

        if not file.is_file():
            raise DatasetError.about("the label file is missing", file=file, fix="add it")
        try:
            segmentation, _ = recursive_find_reader_writer_by_name(self.reader)().read_seg(str(file))
        except (RuntimeError, OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
            raise DatasetError.about(
                f"the label file cannot be read ({reason})", file=file, fix="replace it; it may be damaged"
            ) from error
        return np.rint(segmentation[0]).astype(np.int64)


def read_label_set(dataset_json: Path) -> LabelSet:
    """Read the labels or regions of a ``dataset.json``.

    Raises:
        DatasetError: The file is missing, not JSON, or has no ``labels`` or ``file_ending``, or no reader exists for
            that ending.
    """
    from nnunetv2.imageio.reader_writer_registry import determine_reader_writer_from_dataset_json

    content = _read_json_object(dataset_json)
    for key, kind in (("labels", dict), ("file_ending", str)):
        if not isinstance(content.get(key), kind):
            raise DatasetError.about(
                f"'{key}' is missing or of the wrong kind",
                file=dataset_json,
                value=content.get(key),
                fix="see nnU-Net's documentation/dataset_format.md",
            )
    regions = {}
    for name, values in content["labels"].items():
        try:
            values = tuple(int(v) for v in values) if isinstance(values, (list, tuple)) else (int(values),)
        except (TypeError, ValueError) as error:
            raise DatasetError.about(
                f"label '{name}' has no whole number as its value",
                file=dataset_json,
                value=values,
                fix="give a whole number, or a list of whole numbers for a region",
            ) from error
        if name not in ("background", "ignore") and values != (0,):
            regions[name] = values
    ignore = content["labels"].get("ignore")
    try:
        reader = determine_reader_writer_from_dataset_json(content, verbose=False)
    except RuntimeError as error:
        raise DatasetError.about(
            "nnU-Net has no reader for this file ending",
            file=dataset_json,
            value=content["file_ending"],
            fix="use one of nnU-Net's endings, for example .nii.gz",
        ) from error
    return LabelSet(regions, None if ignore is None else int(ignore), content["file_ending"], reader.__name__)


def require_channel_numbers(folder: Path, file_ending: str) -> None:
    """Make sure that every image is named ``<case>_0000<ending>``; nnU-Net's own listing fails without saying which.

    Raises:
        DatasetError: An image has no channel number.
    """
    for file in sorted(folder.glob(f"*{file_ending}")):
        if not re.search(r"._\d{4}$", file.name[: -len(file_ending)]):
            raise DatasetError.about(
                "the image name has no channel number",
                file=file,
                value=file.name,
                fix=f"name it {file.name[: -len(file_ending)]}_0000{file_ending}",
            )


class RawDataset:
    """A folder ``nnUNet_raw/DatasetXXX_Name``."""

    def __init__(self, folder: Path) -> None:
        """Read ``dataset.json``.

        Raises:
            DatasetError: The folder has no usable ``dataset.json``.
        """
        self.folder = Path(folder)
        self.labels = read_label_set(self.folder / DATASET_JSON)

    @cached_property
    def cases(self) -> dict[str, RawCase]:
        """Training cases with their files, as nnU-Net finds them.

        Raises:
            DatasetError: There are no training images.
        """
        from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

        listed = "dataset" in _read_json_object(self.folder / DATASET_JSON)
        found: dict[str, Any] = {}
        if listed or (self.folder / "imagesTr").is_dir():
            if not listed:
                require_channel_numbers(self.folder / "imagesTr", self.labels.file_ending)
            found = get_filenames_of_train_images_and_targets(str(self.folder))
        if not found:
            raise DatasetError.about(
                f"no training images with ending {self.labels.file_ending}",
                file=self.folder / "imagesTr",
                fix="name images <case>_0000<ending>, as in nnU-Net's documentation/dataset_format.md",
            )
        return {
            case: RawCase(tuple(Path(image) for image in files["images"]), Path(files["label"]))
            for case, files in found.items()
        }


def _read_json_object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError.about(
            f"the file cannot be read: {error.strerror}", file=file, fix="name a raw dataset of nnU-Net"
        ) from error
    except ValueError as error:
        raise DatasetError.about(f"the file is not JSON: {error}", file=file, fix="correct that line") from error
    if not isinstance(content, dict):
        raise DatasetError.about(
            "the file must be a JSON object", file=file, fix="see nnU-Net's documentation/dataset_format.md"
        )
    return content
