"""What in a dataset may give its answers away, in words: where, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nnunet_reportseg.leakage.agreement import Agreement
from nnunet_reportseg.leakage.case_groups import SharedGroup
from nnunet_reportseg.leakage.predictability import Predictability

Shared = Literal["shared case", "shared patient", "shared report"]
Measured = Literal["lengths", "volumes"]
Kind = Shared | Measured | Literal["words"]

_FOLDS_FIX = "write splits_final.json with all of them in one fold (nnU-Net's documentation/manual_data_splits.md)"
_SAME_CASE_FIX = "take it out of one of the two lists in splits_final.json"
_TEST_FIX = "take them out of the training or out of the test set"
_MASKS_FIX = (
    'ask where the reports come from. If from the masks: write "origin": "masks" and take no result on them for one on '
    "reports of radiologists, or take the sizes out of the texts"
)
_SHOWN = 80  # characters of a report


@dataclass(frozen=True)
class Suspicion:
    """What is suspicious.

    Attributes:
        kind: What was checked.
        cases: The cases by name, those of the test set with their folder; empty where the whole dataset is meant.
        message: What was found.
        fix: What to do about it.
    """

    kind: Kind
    cases: tuple[str, ...]
    message: str
    fix: str


def of_groups(kind: Shared, groups: Sequence[SharedGroup]) -> Iterator[Suspicion]:
    """One for each group of cases that is torn apart."""
    for group in groups:
        fix = "; ".join(([_FOLDS_FIX] if group.folds else []) + ([_TEST_FIX] if group.test else []))
        if kind == "shared report":
            shown = group.key if len(group.key) <= _SHOWN else f"{group.key[:_SHOWN]} ..."
            message = f"the same report is {group.where}: {shown}"
            fix = f"see whether this is one examination, or a text that was copied by mistake. If one: {fix}"
        elif kind == "shared patient":
            message = f"patient {group.key} is {group.where}"
        else:
            message, fix = f"the case is {group.where}", _SAME_CASE_FIX
        yield Suspicion(kind, group.names, message, fix)


def of_agreements(kind: Measured, agreements: Sequence[Agreement]) -> Iterator[Suspicion]:
    """At most one: measures are alike, so that several agree where one does."""
    for agreement in [agreement for agreement in agreements if agreement.suspicious][:1]:
        message = (
            f"{len(agreement.agreeing)} of {agreement.findings} stated {kind} are those of the mask to the last digit "
            f"({agreement.measure}); {agreement.expected:.0%} would be if they were measured by hand"
        )
        yield Suspicion(kind, tuple(dict.fromkeys(case for case, _ in agreement.agreeing)), message, _MASKS_FIX)


def of_words(words: Sequence[Predictability]) -> Iterator[Suspicion]:
    """One where words tell the volume nearly perfectly."""
    for score in words:
        if score.suspicious:
            message = f"words alone predict the volume of the masks of unseen cases with an R2 of {score.r2.value:.2f}"
            yield Suspicion("words", (), message, _MASKS_FIX)
