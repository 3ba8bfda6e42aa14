"""The tasks of the phantom: which property of a lesion decides whether the report means it."""

from __future__ import annotations

from enum import Enum


class PhantomTask(str, Enum):
    """What a network has to read in order to find the described lesion."""

    SITE = "site"
    """Left or right lung, upper or lower half: two to four equal lesions."""
    LATERALITY = "laterality"
    """Left or right: two equal lesions that are mirror images of each other."""
    SIZE = "size"
    """Larger or smaller: two lesions of different sizes; the report names no place."""
    NEGATION = "negation"
    """Persists or has resolved: two equal lesions, mirror images of each other, both in the report."""
    FINDINGS = "findings"
    """Kind and site: nodules and ground-glass opacities, which overlap; asked for one by one, not paired."""
