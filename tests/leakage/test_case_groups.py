"""What a fold or the test set tears apart."""

from __future__ import annotations

from nnunet_reportseg.leakage.case_groups import SharedGroup, shared_groups
from nnunet_reportseg.splits import Split

SPLITS: list[Split] = [{"train": ["a", "c", "d"], "val": ["b"]}, {"train": ["b", "c", "d"], "val": ["a"]}]


def test_groups_name_their_folds_and_test_cases() -> None:
    torn, tested = shared_groups({"a": "p", "b": "p", "c": "q", "d": "r"}, {"t": "q", "u": "s"}, SPLITS)
    assert torn == SharedGroup("p", ("a", "b"), (0, 1), ())
    assert torn.where == "in training and in validation of folds 0, 1"
    assert tested == SharedGroup("q", ("c",), (), ("t",))
    assert (tested.where, tested.names) == ("in training and in the test set", ("c", "imagesTs/t"))


def test_cases_that_stay_together_are_no_group() -> None:
    assert shared_groups({"c": "p", "d": "p", "a": "q"}, {}, SPLITS) == ()
