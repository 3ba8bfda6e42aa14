"""The ``dataset.json`` of nnU-Net as far as reports need it, held to nnU-Net's own rules.

The rules are those of nnunetv2 2.8 (utilities/label_handling/label_handling.py, utilities/utils.py), which breaks them
off with an assertion or a traceback; here the entry is named. We deviate in that ``1.0``, ``"1"`` and ``true`` are no
label values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.label_map import MAX_LABEL_VALUE, LabelMap, read_label_map
from nnunet_reportseg.text_file import read_json_object, unusable_character

DATASET_JSON = "dataset.json"
_FORMAT = "see nnU-Net's documentation/dataset_format.md"


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

    def read(self, file: Path, *, case: str) -> LabelMap:
        """Read a label file of this dataset.

        Raises:
            DatasetError: As `read_label_map`, or it holds a value that is neither a label nor the ignore label.
        """
        label_map = read_label_map(file, self.reader, case=case)
        undeclared = label_map.values - self.values - {0, self.ignore_label}
        if undeclared:
            raise DatasetError.about(
                f"the segmentation has values that {DATASET_JSON} does not declare",
                case=case,
                file=file,
                value=sorted(undeclared),
                fix=f"name the {DATASET_JSON} that belongs to these segmentations",
            )
        return label_map


def read_dataset_json(file: Path) -> dict[str, Any]:
    """Read the file.

    Raises:
        DatasetError: It is missing, unreadable or not a JSON object.
    """
    return read_json_object(
        file, DatasetError, what="the file", absent="name a dataset of nnU-Net that has this file", start=_FORMAT
    )


def read_label_set(file: Path) -> LabelSet:
    """Read the labels or regions of a ``dataset.json``.

    Raises:
        DatasetError: The file is unusable, its labels break a rule of nnU-Net, or no reader exists for its
            ``file_ending``.
    """
    content = read_dataset_json(file)
    _require(content, "labels", dict, file)
    _require(content, "file_ending", str, file)
    # nnU-Net reads "ignore": null as no ignore label.
    given = {name: value for name, value in content["labels"].items() if (name, value) != ("ignore", None)}
    labels = {name: _label_values(name, value, file) for name, value in given.items()}
    if labels.get("background") != (0,) or isinstance(given["background"], list):
        raise DatasetError.about(
            "the label 'background' must be there and be 0",
            file=file,
            value=given,
            fix='write "background": 0 into the labels',
        )
    regions = {name: values for name, values in labels.items() if name != "ignore" and set(values) != {0}}
    if not regions:
        raise DatasetError.about("there is no label besides the background", file=file, value=given, fix="add a label")
    ignore = given.get("ignore")
    highest = max(value for values in regions.values() for value in values)
    if ignore is not None and ignore != highest + 1:
        raise DatasetError.about(
            "the label 'ignore' must be one value, the highest",
            file=file,
            value=ignore,
            fix=f'write "ignore": {highest + 1}, into the label files too',
        )
    if any(len(values) > 1 for values in labels.values()):
        _require_class_order(content.get("regions_class_order"), len(regions), file)
    return LabelSet(regions, ignore, content["file_ending"], _reader(content, file))


def require_case_list(content: Mapping[str, Any], file: Path) -> None:
    """Make sure that the optional list of cases, ``dataset``, names images and a label for each case.

    Args:
        content: What `read_dataset_json` returned.
        file: Where it came from, for messages.

    Raises:
        DatasetError: The list or an entry is of another kind.
    """
    _require(content, "dataset", dict, file)
    for case, entry in content["dataset"].items():
        images = entry.get("images") if isinstance(entry, dict) else None
        files = [*images, entry.get("label")] if isinstance(images, list) else []
        if len(files) < 2 or not all(isinstance(file, str) and not unusable_character(file) for file in files):
            raise DatasetError.about(
                "the entry of this case in 'dataset' does not name its files",
                case=case,
                file=file,
                value=entry,
                fix='write {"images": ["imagesTr/<case>_0000.nii.gz"], "label": "labelsTr/<case>.nii.gz"}',
            )


def _require(content: Mapping[str, Any], key: str, kind: type, file: Path) -> None:
    if not isinstance(content.get(key), kind):
        raise DatasetError.about(
            f"'{key}' is missing or of the wrong kind", file=file, value=content.get(key), fix=_FORMAT
        )


def _label_values(name: str, value: object, file: Path) -> tuple[int, ...]:
    values = value if isinstance(value, list) else [value]
    whole = all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= MAX_LABEL_VALUE for v in values)
    if not values or not whole:
        raise DatasetError.about(
            f"label '{name}' has no whole number as its value",
            file=file,
            value=value,
            fix=f"give a whole number from 0 to {MAX_LABEL_VALUE}, or a list of such numbers for a region",
        )
    return tuple(values)


def _require_class_order(order: object, regions: int, file: Path) -> None:
    whole = isinstance(order, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in order)
    if not isinstance(order, list) or not whole or len(order) != regions:
        raise DatasetError.about(
            "labels with several values (regions) need 'regions_class_order', one whole number per region",
            file=file,
            value=order,
            fix=f"add it with {regions} numbers; {_FORMAT}",
        )


def _reader(content: Mapping[str, Any], file: Path) -> str:
    from nnunetv2.imageio.reader_writer_registry import determine_reader_writer_from_dataset_json

    if "overwrite_image_reader_writer" in content:
        _require(content, "overwrite_image_reader_writer", str, file)
    try:
        reader = determine_reader_writer_from_dataset_json(content, verbose=False)
    except RuntimeError as error:
        raise DatasetError.about(
            "nnU-Net has no reader for this file ending",
            file=file,
            value=content["file_ending"],
            fix="use one of nnU-Net's endings, for example .nii.gz",
        ) from error
    return str(reader.__name__)
