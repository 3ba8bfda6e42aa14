"""What reports of the task "negation" say: each nodule either persists or has resolved, and only the former is there.

Every report names both nodules, each in a sentence of its own. In training the two states are independent: one fourth
of the cases each has the left one only, the right one only, both and none, so that neither the side nor the other
sentence tells the state. A resolved nodule is a finding without voxels. Training and test share no template, denial or
filler; only the phrases for a nodule are common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data import phantom_wording
from nnunet_reportseg.data.draft_report import DraftReport, Statement, assemble, capitalised, pick
from nnunet_reportseg.data.lesion_volume import Lesion

NODULE_PHRASES = ("{side} nodule", "nodule in the {side} lung", "{side} lung nodule", "nodule on the {side}")


@dataclass(frozen=True)
class NegationWording:
    """The sentences one split may use.

    Attributes:
        persisting: Templates of a nodule that is still there, with ``{nodule}``.
        resolved: Templates of a nodule that is no longer there, with ``{nodule}``.
        denials: Sentences that deny further nodules.
        fillers: Sentences about anything but the findings.
    """

    persisting: tuple[str, ...]
    resolved: tuple[str, ...]
    denials: tuple[str, ...]
    fillers: tuple[str, ...]


TRAINING_WORDING = NegationWording(
    persisting=(
        "The {nodule} persists.",
        "The {nodule} is unchanged.",
        "The {nodule} is again seen.",
        "The known {nodule} is still present.",
        "The previously described {nodule} remains visible.",
        "Persistent {nodule}.",
        "Stable appearance of the {nodule}.",
        "There is no change of the {nodule}.",
    ),
    resolved=(
        "The {nodule} has resolved.",
        "The {nodule} is no longer seen.",
        "The previously described {nodule} has disappeared.",
        "Complete resolution of the {nodule}.",
        "The known {nodule} is not visible any more.",
        "The {nodule} has vanished since the last examination.",
        "Interval disappearance of the {nodule}.",
        "There is no residual {nodule}.",
    ),
    denials=("No new nodule.", "No new lesion has appeared.", "There is no additional mass.", "No further nodules."),
    fillers=phantom_wording.TRAINING_WORDING.fillers,
)

TEST_WORDING = NegationWording(
    persisting=(
        "The {nodule} continues to be visible.",
        "Once more, the {nodule} is demonstrated.",
        "The {nodule} has not changed since the prior study.",
        "Redemonstration of the {nodule}.",
        "The {nodule} is stable in comparison.",
        "As before, a {nodule} is found.",
    ),
    resolved=(
        "The {nodule} can no longer be delineated.",
        "The formerly reported {nodule} is now absent.",
        "The {nodule} has completely cleared.",
        "The {nodule} is not identified on the present study.",
        "Interval resolution of the {nodule}.",
        "The {nodule} has meanwhile disappeared.",
    ),
    denials=("No newly developed nodule.", "There are no new focal densities.", "No additional lung lesion."),
    fillers=phantom_wording.TEST_WORDING.fillers,
)


def persisting_in_turn(lesions: Sequence[Lesion], index: int) -> tuple[Lesion, ...]:
    """The persisting lesions of a training case: the first, the second, both or none, in turn."""
    return tuple(lesion for bit, lesion in enumerate(lesions) if (1, 2, 3, 0)[index % 4] >> bit & 1)


def write_negation_report(
    persisting: Sequence[Lesion], lesions: Sequence[Lesion], wording: NegationWording, rng: np.random.Generator
) -> DraftReport:
    """Name every lesion: the persisting ones as present, the others as resolved. Half of the reports deny new ones."""
    statements = []
    for lesion in lesions:
        nodule = pick(NODULE_PHRASES, rng).format(side=lesion.site.side)
        there = lesion in persisting
        text = pick(wording.persisting if there else wording.resolved, rng).format(nodule=nodule)
        statements.append(Statement(capitalised(text), lesion, denies=None if there else lesion.site))
    if rng.random() < 0.5:
        statements.append(Statement(pick(wording.denials, rng)))
    return assemble(statements, wording.fillers, rng)
