"""Cases that have something in common, and whether a fold or the test set tears them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nnunet_reportseg.splits import Split


@dataclass(frozen=True)
class SharedGroup:
    """Cases with the same patient or the same report, of which some are trained on and others are scored.

    Attributes:
        key: What they have in common.
        cases: Training cases of the dataset.
        folds: Folds that have some of them in training and some in validation.
        test: Cases of the test set, if any.
    """

    key: str
    cases: tuple[str, ...]
    folds: tuple[int, ...]
    test: tuple[str, ...]

    @property
    def where(self) -> str:
        """Where they are."""
        name = "fold" if len(self.folds) == 1 else "folds"
        places = [f"in validation of {name} {', '.join(map(str, self.folds))}"] if self.folds else []
        places += ["in the test set"] if self.test else []
        return f"in training and {' and '.join(places)}"

    @property
    def names(self) -> tuple[str, ...]:
        """All cases, those of the test set with their folder."""
        return (*self.cases, *(f"imagesTs/{case}" for case in self.test))


def shared_groups(
    training: Mapping[str, str], test: Mapping[str, str], splits: Sequence[Split]
) -> tuple[SharedGroup, ...]:
    """Find what training shares with validation, or with the test set.

    Args:
        training: What a case of the dataset is grouped by, such as its patient; a case may be left out.
        test: The same for the test set.
        splits: The folds.

    Returns:
        The groups, ordered by their first case.
    """
    sides = [(frozenset(split["train"]), frozenset(split["val"])) for split in splits]
    test_cases = _by_key(test.items())
    found = []
    for key, cases in _by_key(training.items()).items():
        members = frozenset(cases)
        folds = tuple(k for k, (train, val) in enumerate(sides) if members & train and members & val)
        held_out = tuple(test_cases.get(key, ()))
        if held_out:
            found.append(SharedGroup(key, tuple(cases), folds, held_out))
        elif folds:
            torn = frozenset().union(*(sides[k][0] | sides[k][1] for k in folds))
            found.append(SharedGroup(key, tuple(case for case in cases if case in torn), folds, ()))
    return tuple(found)


def _by_key(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for case, key in sorted(pairs):
        groups.setdefault(key, []).append(case)
    return groups
