"""A raw nnU-Net dataset as far as reports need it: its labels and its cases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nnunet_reportseg.dataset_json import DATASET_JSON, read_dataset_json, read_label_set, require_case_list
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.text_file import unusable_character


@dataclass(frozen=True)
class RawCase:
    """Files of one training case.

    Attributes:
        images: One file per channel.
        labels: The label file.
    """

    images: tuple[Path, ...]
    labels: Path


def require_channel_numbers(folder: Path, file_ending: str) -> None:
    """Make sure that every image is named ``<case>_0000<ending>``; nnU-Net's own listing fails without saying which.

    Raises:
        DatasetError: An image has no channel number, or a name that no sidecar can hold; a case lacks a channel below
            one that it has.
    """
    channels: dict[str, int] = {}
    for file in sorted(folder.glob(f"*{file_ending}")):
        if unusable_character(file.name) is not None:
            raise DatasetError.about("the image name is not UTF-8", file=folder, value=file.name, fix="rename it")
        if not re.search(r"._\d{4}$", file.name[: -len(file_ending)]):
            raise DatasetError.about(
                "the image name has no channel number",
                file=file,
                value=file.name,
                fix=f"name it {file.name[: -len(file_ending)]}_0000{file_ending}",
            )
        case, number = file.name[: -len(file_ending)].rsplit("_", 1)
        expected = channels.get(case, 0)
        if int(number) != expected:
            raise DatasetError.about(
                f"the file of channel {expected:04d} is missing",
                case=case,
                file=folder / f"{case}_{expected:04d}{file_ending}",
                value=file.name,
                fix="number the channels of each case from 0000 on",
            )
        channels[case] = expected + 1


def require_channels(files: Sequence[str], dataset_json: Mapping[str, Any], *, case: str) -> None:
    """Make sure that a case to predict has one file for each channel of the training.

    Args:
        files: Its channel files, as nnU-Net lists them.
        dataset_json: Of the model.
        case: For the message.

    Raises:
        DatasetError: It has more or fewer.
    """
    named = dataset_json.get("modality", dataset_json.get("channel_names", {}))  # as nnU-Net
    names = [str(name) for name in named.values()]
    if len(files) != len(names):
        raise DatasetError.about(
            f"the case has {len(files)} channels, the model was trained with {len(names)}",
            case=case,
            file=Path(files[0]),
            value=", ".join(Path(file).name for file in files),
            fix=f"give it one file for each of {', '.join(names)}",
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
            DatasetError: There are no training images, or ``dataset.json`` lists cases without naming their files.
        """
        from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

        content = read_dataset_json(self.folder / DATASET_JSON)
        found: dict[str, Any] = {}
        if "dataset" in content:
            require_case_list(content, self.folder / DATASET_JSON)
            found = get_filenames_of_train_images_and_targets(str(self.folder), content)
        elif (self.folder / "imagesTr").is_dir():
            require_channel_numbers(self.folder / "imagesTr", self.labels.file_ending)
            found = get_filenames_of_train_images_and_targets(str(self.folder), content)
        if not found:
            raise DatasetError.about(
                f"no training images with ending {self.labels.file_ending}",
                file=self.folder / "imagesTr",
                fix="name images <case>_0000<ending>, as in nnU-Net's documentation/dataset_format.md",
            )
        return {
            str(case): RawCase(tuple(Path(image) for image in files["images"]), Path(files["label"]))
            for case, files in found.items()
        }
