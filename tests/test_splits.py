"""The folds of the file, else those that nnU-Net itself makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.splits import default_splits, read_splits

CASES = [f"case_{i}" for i in range(12)]


class _Dataset:
    def __init__(self, *arguments: object, **options: object) -> None:
        self.identifiers = CASES


def test_default_splits_are_those_of_a_training(tmp_path: Path) -> None:
    trainer = nnUNetTrainer.__new__(nnUNetTrainer)
    trainer.dataset_class, trainer.fold = _Dataset, 2
    trainer.preprocessed_dataset_folder_base = trainer.preprocessed_dataset_folder = str(tmp_path)
    trainer.folder_with_segs_from_previous_stage = None
    trainer.print_to_log_file = lambda *words: None
    training, validation = trainer.do_split()
    split = default_splits(reversed(CASES))[2]
    assert (split["train"], split["val"]) == (list(training), list(validation))
    assert read_splits(tmp_path) == default_splits(CASES)


def test_too_few_cases_make_no_folds_and_a_folder_without_file_has_none(tmp_path: Path) -> None:
    assert default_splits(CASES[:4]) == []
    assert read_splits(tmp_path) is None


@pytest.mark.parametrize("content", ["[", "[]", json.dumps([{"train": ["a"]}]), json.dumps({"train": [], "val": []})])
def test_file_that_is_no_list_of_splits(content: str, tmp_path: Path) -> None:
    (tmp_path / "splits_final.json").write_text(content)
    with pytest.raises(DatasetError, match=r"splits_final\.json.*Fix: "):
        read_splits(tmp_path)
