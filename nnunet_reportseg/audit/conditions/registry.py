"""All conditions by name, in the order of the table, and what each of them is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from nnunet_reportseg.audit.altered import Altered, NotApplicable
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.conditions.long import long
from nnunet_reportseg.audit.conditions.negated import negated
from nnunet_reportseg.audit.conditions.order import order_permuted
from nnunet_reportseg.audit.conditions.paraphrased import paraphrased
from nnunet_reportseg.audit.conditions.plain import correct, null, text_only
from nnunet_reportseg.audit.conditions.shuffled import draw_partners, shuffled
from nnunet_reportseg.audit.conditions.sides import laterality_swapped
from nnunet_reportseg.audit.conditions.sites import site_changed
from nnunet_reportseg.audit.conditions.sizes import size_changed
from nnunet_reportseg.errors import DatasetError

CORRECT = "correct"


class Kind(Enum):
    """What a condition is for."""

    REFERENCE = "reference"
    """What the others are compared with."""
    WRONG = "wrong text"
    """The text says something else; a network that reads gives another mask."""
    SAME = "same meaning"
    """The text says the same; a network that reads gives the same mask."""
    CONTROL = "control"
    """Neither; shows what text or image alone do."""


@dataclass(frozen=True)
class _Everything:
    """What a condition may draw on."""

    cases: Mapping[str, AuditCase]
    partners: Mapping[str, AuditCase]
    seed: int


Make = Callable[[AuditCase, _Everything], Altered | NotApplicable]

_CONDITIONS: dict[str, tuple[Kind, Make]] = {
    CORRECT: (Kind.REFERENCE, lambda case, _: correct(case)),
    "null": (Kind.CONTROL, lambda case, _: null(case)),
    "shuffled": (Kind.WRONG, lambda case, everything: shuffled(case, everything.partners)),
    "laterality_swapped": (Kind.WRONG, lambda case, _: laterality_swapped(case)),
    "negated": (Kind.WRONG, lambda case, _: negated(case)),
    "site_changed": (Kind.WRONG, lambda case, everything: site_changed(case, everything.cases, everything.seed)),
    "size_changed": (Kind.CONTROL, lambda case, _: size_changed(case)),
    "paraphrased": (Kind.SAME, lambda case, _: paraphrased(case)),
    "order_permuted": (Kind.SAME, lambda case, everything: order_permuted(case, everything.seed)),
    "long": (Kind.SAME, lambda case, everything: long(case, everything.seed)),
    "text_only": (Kind.CONTROL, lambda case, _: text_only(case)),
}

CONDITIONS: tuple[str, ...] = tuple(_CONDITIONS)


def kind_of(condition: str) -> Kind:
    """What a condition is for."""
    return _CONDITIONS[condition][0]


def require_conditions(names: Sequence[str]) -> tuple[str, ...]:
    """The conditions in the order of the table, with ``correct``, which the others are compared with.

    Raises:
        DatasetError: there is no such condition; lists those that there are.
    """
    for name in names:
        if name not in _CONDITIONS:
            raise DatasetError.about(
                "no such condition", value=name, fix=f"choose from {', '.join(CONDITIONS)} with --conditions"
            )
    return tuple(name for name in CONDITIONS if name == CORRECT or name in names)


def alter(
    cases: Sequence[AuditCase], conditions: Sequence[str], seed: int
) -> dict[str, dict[str, Altered | NotApplicable]]:
    """The report of each case under each condition."""
    everything = _Everything({case.case_id: case for case in cases}, draw_partners(cases, seed), seed)
    return {case.case_id: {name: _CONDITIONS[name][1](case, everything) for name in conditions} for case in cases}
