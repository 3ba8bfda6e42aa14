"""The side a sentence speaks of.

Frozen encoders put "left" and "right" almost on one point, so the side is also handed over as a label of its own. What
counts as a side word is decided in `side_words`. A side that belongs to the name of a part ("left ventricle", "right
lobe of the liver") says nothing of where in the body it lies, and counts for none; the lingula is on the left and the
middle lobe on the right although no side word stands there.
"""

from __future__ import annotations

import re
from enum import IntEnum

from text_conditioning.side_words import find_side_words


class Laterality(IntEnum):
    """Side a sentence names. The values index an embedding table: do not renumber."""

    NONE = 0
    LEFT = 1
    RIGHT = 2
    BILATERAL = 3


_PAIRED = (
    r"(?:lungs?|sides?|kidneys?|lobes?|hemithora\w+|bas(?:es|al|ilar)|apic(?:es|al)|bronch\w+|adrenals?|breasts?|hil[aiu]\w*|"
    r"pleura\w*|axill\w+|ovar\w+|testes|iliac|renal|femoral|femur\w*|hips?|shoulders?|clavicles?|ventricles?|atri\w+|"
    r"hemispheres?|costophrenic|ureters?|thyroid|diaphragms?|hemidiaphragms?|zones?|eyes|orbits?|carotid\w*|subclavian|"
    r"upper|lower|supraclavicular|inguinal|(?:pulmonary\s+)?(?:arteries|veins)|arms|legs|feet|hands|knees|ankles|wrists|"
    r"elbows|ears|tonsils|(?:maxillary|frontal|parietal|temporal|occipital|mastoid|parotid)\w*|flanks|groins|scapula[es]*)"
)
_BILATERAL = re.compile(
    r"\bbilat(?:eral(?:ly)?)?\b|\bb/l\b|\bbi-?(?:basilar|basal|apical|hilar|pulmonary|axillary|lateral)(?:ly)?\b"
    rf"|\bboth\s+(?:of\s+)?(?:the\s+)?(?:\w+\s+){{0,2}}{_PAIRED}\b|\b(?:each|either)\s+(?:side|lung|kidney|breast)\b",
    re.IGNORECASE,
)


# Behind a side word: parts that are named by a side. "Left heart border" is a place.
_NAMED_PART = re.compile(
    r"(?:-?\s*sided)?\s+(?:(?:and|or)\s+(?:left|right)\s+)?(?:ventric|atri(?:um|a|al)\b|heart\b(?!\s+border)|coronar|"
    r"side\s+of\s+the\s+heart|main\s+(?:coronar|stenosis|stem\s+stenosis)|(?:left\s+)?anterior\s+descending|circumflex|"
    r"bundle\s+branch|(?:(?:intra|extra)?hepatic|liver|portal|biliary|bile)\b|(?:\w+\s+)?(?:lobe|segment|section)s?\s+of\s+(?:the\s+)?liver\b)",
    re.IGNORECASE,
)
# the direction in which blood flows, not a place
_SHUNT = re.compile(r"\b(?:left|right)[\s-]+to[\s-]+(?:left|right)(?=[\s-]+(?:\w+\s+)?shunt)", re.IGNORECASE)
_BARE_LOBE = re.compile(r"\s+(?:and\s+(?:left|right)\s+)?lobes?\b", re.IGNORECASE)
_LIVER = re.compile(r"\b(?:liver|hepatic)\b", re.IGNORECASE)
_OTHER_LOBES = re.compile(r"thyroid|\blungs?\b|prostat|thym|cerebell", re.IGNORECASE)
_LEFT_ONLY = re.compile(r"\blingul(?:a|ar|ae)\b", re.IGNORECASE)
_RIGHT_ONLY = re.compile(r"(?<!left )(?<!left lung )(?<!lt )(?<!lt\. )\bmid(?:dle)?\s+lobe\b", re.IGNORECASE)


def tag(sentence: str) -> Laterality:
    """Tell which side a sentence names; both sides in one sentence are bilateral.

    Args:
        sentence: One sentence of a report.

    Returns:
        The side, or NONE where no side is named.
    """
    sides = _named_sides(sentence)
    if _LEFT_ONLY.search(sentence):
        sides.add(True)
    if _RIGHT_ONLY.search(sentence):
        sides.add(False)
    if len(sides) == 2 or _BILATERAL.search(sentence):
        return Laterality.BILATERAL
    if not sides:
        return Laterality.NONE
    return Laterality.LEFT if True in sides else Laterality.RIGHT


def _named_sides(sentence: str) -> set[bool]:
    """Which sides are named by words, true for left, without those that belong to the name of a part."""
    words = find_side_words(sentence)
    if not words:
        return set()
    shunt = {place for match in _SHUNT.finditer(sentence) for place in range(*match.span())}
    liver = _LIVER.search(sentence) is not None and _OTHER_LOBES.search(sentence) is None
    return {
        word.left
        for word in words
        if word.start not in shunt
        and not _NAMED_PART.match(sentence, word.end)
        and not (liver and _BARE_LOBE.match(sentence, word.end))
    }
