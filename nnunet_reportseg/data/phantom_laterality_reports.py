"""What reports of the task "laterality" say: the sentences of the phantom, with places that name the side only."""

from __future__ import annotations

from dataclasses import replace

from nnunet_reportseg.data import phantom_wording

SIDE_PHRASES = (
    "{side} lung",
    "{side} half of the thorax",
    "{side} hemithorax",
    "{side} side of the chest",
    "{side} lung field",
)
TRAINING_WORDING = replace(phantom_wording.TRAINING_WORDING, phrases=SIDE_PHRASES)
TEST_WORDING = replace(phantom_wording.TEST_WORDING, phrases=SIDE_PHRASES)
