"""The four places of the benchmarks: left or right lung, upper or lower half.

Sides and levels are the patient's, decided in patient space (LPS), never from array indices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right"]
Level = Literal["upper", "lower"]


@dataclass(frozen=True)
class Site:
    """A place in the lungs that a report can name.

    Attributes:
        side: The patient's side.
        level: Upper or lower half of that lung's height.
    """

    side: Side
    level: Level

    def __str__(self) -> str:
        """Plain words, such as "left upper"."""
        return f"{self.side} {self.level}"


SITES: tuple[Site, ...] = (
    Site("left", "upper"),
    Site("left", "lower"),
    Site("right", "upper"),
    Site("right", "lower"),
)

# Every phrase carries the word of the side and the word of the level and reads well after "the".
SITE_PHRASES: tuple[str, ...] = (
    "{side} {level} lobe",
    "{level} lobe of the {side} lung",
    "{side} {level} lung zone",
    "{level} part of the {side} lung",
    "{level} half of the {side} lung",
)
