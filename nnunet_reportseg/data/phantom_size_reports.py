"""What reports of the task "size" say: the larger or the smaller nodule, sometimes its diameter, never its place.

Training and test share no template, denial or filler; the words for the rank are common. Denials speak of further
nodules, so that a report about one of the two remains true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data import phantom_wording
from nnunet_reportseg.data.draft_report import DraftReport, Statement, assemble, capitalised, pick
from nnunet_reportseg.data.lesion_volume import Lesion

RANKS = {"large": ("larger", "bigger"), "small": ("smaller",)}


@dataclass(frozen=True)
class SizeWording:
    """The sentences one split may use.

    Attributes:
        positives: Templates of a finding, with ``{rank}`` and, in some, ``{diameter}``.
        denials: Sentences that deny further nodules.
        fillers: Sentences about anything but the findings.
    """

    positives: tuple[str, ...]
    denials: tuple[str, ...]
    fillers: tuple[str, ...]


TRAINING_WORDING = SizeWording(
    positives=(
        "The {rank} nodule is solid.",
        "The {rank} of the two nodules has smooth margins.",
        "There is a solid nodule, the {rank} of two.",
        "The {rank} nodule measures {diameter} in diameter.",
        "A {diameter} nodule is seen, the {rank} of the two.",
        "We describe the {rank} nodule, which is round.",
        "The {rank} one of the two lesions has a diameter of {diameter} on axial images.",
        "Of two lung nodules, the {rank} is well defined.",
        "The {rank} lesion shows soft tissue density.",
        "Round nodule with a diameter of {diameter}, the {rank} one.",
    ),
    denials=("No third nodule.", "There is no further nodule.", "No additional lesion is seen.", "No other mass."),
    fillers=phantom_wording.TRAINING_WORDING.fillers,
)

TEST_WORDING = SizeWording(
    positives=(
        "Two nodules are visible, of which the {rank} is well-circumscribed.",
        "The {rank} pulmonary nodule is homogeneous.",
        "Imaging demonstrates a dense lesion, namely the {rank} of the pair.",
        "The {rank} mass is {diameter} across and solid.",
        "The finding of interest is the {rank} nodule.",
        "Among both nodules, the {rank} one, {diameter} wide, is compact.",
    ),
    denials=("No more than two nodules.", "There are no additional nodules.", "No further focal density."),
    fillers=phantom_wording.TEST_WORDING.fillers,
)


def write_size_report(described: Sequence[Lesion], wording: SizeWording, rng: np.random.Generator) -> DraftReport:
    """Describe the given lesions by their size and, in about half of the reports, deny further ones."""
    statements = []
    for lesion in described:
        words = {"rank": pick(RANKS[lesion.words["size"]], rng), "diameter": lesion.words["diameter"]}
        statements.append(Statement(capitalised(pick(wording.positives, rng).format(**words)), lesion))
    if rng.random() < 0.5:
        statements.append(Statement(pick(wording.denials, rng)))
    return assemble(statements, wording.fillers, rng)
