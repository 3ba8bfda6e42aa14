"""Which checkpoints a prediction takes."""

from __future__ import annotations

import pytest

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.inference.model_folder import find_checkpoints

FINAL = "checkpoint_final.pth"


def model(root, *folds):
    for fold in folds:
        (root / f"fold_{fold}").mkdir()
        (root / f"fold_{fold}" / FINAL).touch()
    return root


def test_all_numbered_folds_where_none_is_named(tmp_path):
    found = find_checkpoints(model(tmp_path, 1, 0, "all"), None, FINAL)
    assert [file.parent.name for file in found] == ["fold_0", "fold_1"]


def test_a_model_of_all_cases_is_named_where_it_is_the_only_one(tmp_path):
    with pytest.raises(DatasetError) as error:
        find_checkpoints(model(tmp_path, "all"), None, FINAL)
    assert error.value.fix == "choose -f all"


def test_a_fold_that_is_not_there(tmp_path):
    with pytest.raises(DatasetError, match="fold_3") as error:
        find_checkpoints(model(tmp_path, 0, "all"), (0, 3), FINAL)
    assert f"fold_0/{FINAL}" in str(error.value.value)
    assert "-chk" in error.value.fix
