"""How high in the lung or in an organ a sentence places its finding: lobe, zone, segment, pole.

The lingula is part of the upper lobe and counts as upper, although it lies beside the right middle lobe. Segments of
the lung by number are read where the words around say that they are meant: S1 is also a vertebra, S6 also in the liver.
"""

from __future__ import annotations

import re
from enum import IntEnum


class Level(IntEnum):
    """Level a sentence names. The values index an embedding table: do not renumber."""

    NONE = 0
    UPPER = 1
    MIDDLE = 2
    LOWER = 3
    SEVERAL = 4


_PLACE = (
    r"(?:(?:half|halves|parts?|portions?|thirds?|aspects?)\s+of\s+(?:the\s+|both\s+)?(?:left\s+|right\s+)?(?:lungs?|hemithorax)\b|"
    r"lob(?:e|es|ar)\b|zones?\b|lungs?\b|lung\s+fields?\b|fields?\b|poles?\b|pulmonary\s+(?:zone|lobe|field)s?\b)"
)
_HEIGHT = r"(?:upper(?:most)?|lower(?:most)?|mid(?:dle)?)"
_RANGE = rf"(?:(?:\s*(?:,|/|-|&|\band\b|\bor\b)\s*|\s+)(?:the\s+)?(?:left\s+|right\s+)?{_HEIGHT}\b)*"
# "upper and lower lobes", "mid-lower zone": the heights in front of the same place
_HEIGHTS = re.compile(rf"\b{_HEIGHT}\b{_RANGE}(?=[\s-]+(?:\w+\s+)?{_PLACE})", re.IGNORECASE)
_SHORT = re.compile(
    r"\b[LR](?P<upper>UL)\b|\bR(?P<middle>ML)\b|\b[LR](?P<lower>LL)\b|\b[LR](?P<zone>[UML])Z\b", re.IGNORECASE
)
_ALL = re.compile(r"\ball\s+(?:\w+\s+)?(?:lobes|zones)\b", re.IGNORECASE)
_UPPER = re.compile(
    r"\bbi-?apical|\bap(?:ical|ices|ex)\b(?![^.;,]{0,40}\b(?:heart|cardiac|ventric|lower\s+lobe|orbit|bladder|root))|"
    r"\bapico-?posterior|\blingul\w*|\bsupra-?hilar",
    re.IGNORECASE,
)
_APEX_OF_ANOTHER = re.compile(
    r"\b(?:heart|cardiac|ventric\w+|orbit\w*|bladder|petrous)\s+(?:ap(?:ex|ical))", re.IGNORECASE
)
_LOWER = re.compile(
    r"\b(?:postero|latero|antero|medio|antero-?medio|antero-?latero)-?bas\w+|\bbi-?bas(?:al|ilar)|\bbas(?:al|ilar|es)\b"
    r"(?!\s+(?:ganglia|cistern|metabol|arter|skull))|\b(?:lung|pulmonary|left|right)\s+base\b|\bbase\s+of\s+(?:the\s+)?(?:\w+\s+)?lungs?\b"
    r"|\binfra-?hilar",
    re.IGNORECASE,
)
_SUPERIOR_SEGMENT = re.compile(r"\bsuperior\s+segments?\b|\bsuperior\s+(?:basal|lower\s+lobe)", re.IGNORECASE)
_SEGMENT = re.compile(r"\bS(?:egments?\s+)?(\d{1,2})(?:/\d)?\b")
_LUNG = re.compile(r"\b(?:lungs?|lob(?:e|ar)|pulmonary|broncho\w*|nodules?)\b", re.IGNORECASE)
_OTHER_SEGMENTS = re.compile(r"\b(?:liver|hepat\w+|vertebra\w*|sacr\w+|L5|disc|disk|spin\w+)\b", re.IGNORECASE)
_ANY = re.compile(r"upper|lower|mid|[LR][UML][LZ]\b|apic|apex|bas|lingul|segment|hilar|S\d|lobes|zones", re.IGNORECASE)


def read_level(sentence: str) -> Level:
    """Tell which level a sentence names.

    Args:
        sentence: One sentence of a report.

    Returns:
        The level, SEVERAL where it names more than one, or NONE.
    """
    if _ANY.search(sentence) is None:
        return Level.NONE
    levels: set[Level] = set()
    for match in _HEIGHTS.finditer(sentence):
        words = match.group().lower()
        levels.update(level for word, level in _BY_WORD if word in words)
    for match in _SHORT.finditer(sentence):
        letter = (match["zone"] or match.group()[1]).upper()
        levels.add({"U": Level.UPPER, "M": Level.MIDDLE, "L": Level.LOWER}[letter])
    if _ALL.search(sentence):
        return Level.SEVERAL
    if _UPPER.search(sentence) and not _APEX_OF_ANOTHER.search(sentence):
        levels.add(Level.UPPER)
    if _LOWER.search(sentence):
        levels.add(Level.LOWER)
    levels |= _from_segments(sentence, levels)
    if len(levels) > 1:
        return Level.SEVERAL
    return next(iter(levels), Level.NONE)


_BY_WORD = (("upper", Level.UPPER), ("mid", Level.MIDDLE), ("lower", Level.LOWER))


def _from_segments(sentence: str, known: set[Level]) -> set[Level]:
    """Levels of segments that are named by number or as "superior segment"; a lobe that is named decides instead."""
    if known:
        return set()
    if _SUPERIOR_SEGMENT.search(sentence) and not _OTHER_SEGMENTS.search(sentence):
        return {Level.LOWER}
    if _OTHER_SEGMENTS.search(sentence) or not _LUNG.search(sentence):
        return set()
    found: set[Level] = set()
    for match in _SEGMENT.finditer(sentence):
        number = int(match.group(1))
        if 1 <= number <= 3:
            found.add(Level.UPPER)
        elif 6 <= number <= 10:
            found.add(Level.LOWER)
    return found
