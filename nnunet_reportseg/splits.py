"""Training and validation cases of each fold: nnU-Net's ``splits_final.json``, or the split that nnU-Net would make.

nnU-Net makes the file at the first training (nnunetv2 2.8, training/nnUNetTrainer/nnUNetTrainer.py, `do_split`): the
sorted names of the preprocessed cases, in five folds, shuffled with the seed 12345 (utilities/crossval_split.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict

from nnunet_reportseg.errors import DatasetError

SPLITS_FILE = "splits_final.json"
NNUNET_FOLDS = 5
NNUNET_SEED = 12345


class Split(TypedDict):
    """One fold, as it stands in the file."""

    train: list[str]
    val: list[str]


def read_splits(folder: Path) -> list[Split] | None:
    """Read the splits of a preprocessed dataset.

    Args:
        folder: ``nnUNet_preprocessed/DatasetXXX_Name``.

    Returns:
        The folds; None where there is no file yet.

    Raises:
        DatasetError: The file is no list of splits.
    """
    file = folder / SPLITS_FILE
    if not file.is_file():
        return None
    splits = _read_json(file)
    if not isinstance(splits, list) or not splits or not all(map(_is_split, splits)):
        raise DatasetError.about(
            "the file must be a list of splits, each with the cases of 'train' and 'val'",
            file=file,
            fix="correct it, or delete it; nnU-Net writes a new one",
        )
    return splits


def default_splits(cases: Iterable[str]) -> list[Split]:
    """The folds that nnU-Net would make of these cases; none of fewer cases than folds."""
    from nnunetv2.utilities.crossval_split import generate_crossval_split

    names = sorted(cases)
    if len(names) < NNUNET_FOLDS:
        return []
    splits = generate_crossval_split(names, seed=NNUNET_SEED, n_splits=NNUNET_FOLDS)
    return [{"train": list(map(str, split["train"])), "val": list(map(str, split["val"]))} for split in splits]


def _is_split(split: Any) -> bool:
    parts = [split.get(part) for part in ("train", "val")] if isinstance(split, dict) else [None]
    return all(isinstance(part, list) and all(isinstance(case, str) for case in part) for part in parts)


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError.about(f"the file is not JSON: {error}", file=file, fix="correct that line") from error
