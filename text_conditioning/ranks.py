"""Which of several findings a sentence means by its size: the larger or the smaller one.

A comparison in time ("larger than before", "has become smaller") is no rank, nor is the largest of a finding's own
lengths ("in its largest diameter"). A comparative counts where it stands for one of several, which its article tells:
"the larger nodule", but not "a larger nodule".
"""

from __future__ import annotations

import re
from enum import IntEnum


class Rank(IntEnum):
    """Rank by size that a sentence names. The values index an embedding table: do not renumber."""

    NONE = 0
    LARGER = 1
    SMALLER = 2
    SEVERAL = 3


_NO_FINDING = (
    r"(?:\s+(?:\w+\s+)?(?:diameters?|dimensions?|ax[ie]s|extent|extension|lengths?|widths?|plane|measurements?|"
    r"cross[\s-]sections?|size|transverse|axial|coronal|sagittal|ap|craniocaudal|"
    r"airways?|bronch\w+|vessels?|arter\w+|veins?)\b)"
)
_TIME = r"\s+(?:than|compared|as\s+compared|now|in\s+the\s+(?:interval|meantime)|since|over\s+time)\b"
_COMPARATIVE = re.compile(
    rf"\b(?:the|whose|other|these)\s+(?:(?P<larger>larger|bigger)|(?P<smaller>smaller))\b(?!{_TIME})(?!{_NO_FINDING})",
    re.IGNORECASE,
)
_SUPERLATIVE = re.compile(
    rf"(?<!\bits )(?<!\bat )(?<!\btheir )\b(?:(?P<larger>largest|biggest)|(?P<smaller>smallest))\b(?!{_NO_FINDING})",
    re.IGNORECASE,
)
_DOMINANT = re.compile(
    r"\b(?P<larger>dominant)\s+(?:\w+\s+)?"
    r"(?:nodules?|mass(?:es)?|lesions?|finding|cysts?|nodes?|metastas[ie]s|tumou?r)\b",
    re.IGNORECASE,
)
_ANY = re.compile(r"larg|bigg|smalle|dominant", re.IGNORECASE)


def read_rank(sentence: str) -> Rank:
    """Tell whether a sentence speaks of the larger or of the smaller of several findings.

    Args:
        sentence: One sentence of a report.

    Returns:
        The rank, SEVERAL where it names both, or NONE.
    """
    if _ANY.search(sentence) is None:
        return Rank.NONE
    found = {
        Rank[name.upper()]
        for pattern in (_COMPARATIVE, _SUPERLATIVE, _DOMINANT)
        for match in pattern.finditer(sentence)
        for name, words in match.groupdict().items()
        if words
    }
    if len(found) > 1:
        return Rank.SEVERAL
    return next(iter(found), Rank.NONE)
