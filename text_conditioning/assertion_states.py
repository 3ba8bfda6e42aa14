"""The four states of a finding."""

from __future__ import annotations

from enum import IntEnum


class Assertion(IntEnum):
    """State of the finding a sentence speaks of. The values index an embedding table: do not renumber."""

    PRESENT = 0
    ABSENT = 1
    UNCERTAIN = 2
    HISTORICAL = 3
