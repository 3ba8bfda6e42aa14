"""The side a sentence speaks of.

Frozen encoders put "left" and "right" almost on one point, so the side is also handed over as a label of its own. The
rules tell sides from other uses of the words ("was left untreated", "right away") and read the usual abbreviations.
"""

from __future__ import annotations

import re
from enum import IntEnum


class Laterality(IntEnum):
    """Side a sentence names. The values index an embedding table: do not renumber."""

    NONE = 0
    LEFT = 1
    RIGHT = 2
    BILATERAL = 3


_NOT_A_SIDE = re.compile(
    r"\bleft(?:\s+|-)(?:untreated|alone|in\s+place|in\s+situ|behind|open|intact|undrained|untouched|unrepaired|unchanged|"
    r"unattended|as\s+is|over|out|against|off|to\s+(?:heal|drain)|the\s+(?:hospital|clinic|department|emergency|ward|room))\b"
    r"|\bright(?:\s+|-)(?:away|now|after|before|here|there|where|then|next\s+to|beneath|underneath|behind|up\s+to|"
    r"angles?|angled|at\s+the)\b"
    r"|\ball\s+right\b"
    r"|\b(?:left|right)[\s-]handed(?:ness)?\b",
    re.IGNORECASE,
)
_ORGAN_AFTER_LETTER = (
    r"(?=\s+(?:lung|upper|lower|middle|lobe|hilum|hilar|pleural?|apex|base|basal|kidney|renal|breast|adrenal|chest|"
    r"hemithorax|ventricle|atrium|side|ul|ll|axill\w+)\b)"
)
_LEFT = re.compile(
    r"\bleft(?:wards?|most|side[d]?)?\b|\blt\b|\b(?:lul|lll|luq|llq|lml)\b|\bL(?:LE|UE)\b|\(\s*L\s*\)"
    r"|\bL" + _ORGAN_AFTER_LETTER,
)
_RIGHT = re.compile(
    r"\bright(?:wards?|most|side[d]?)?\b|\brt\b|\b(?:rul|rml|rll|ruq|rlq)\b|\bR(?:LE|UE)\b|\(\s*R\s*\)"
    r"|\bR" + _ORGAN_AFTER_LETTER,
)
_PAIRED = (
    r"(?:lungs?|sides?|kidneys?|lobes?|hemithora\w+|bas(?:es|al|ilar)|apic(?:es|al)|bronch\w+|adrenals?|breasts?|hil[aiu]\w*|"
    r"pleura\w*|axill\w+|ovar\w+|testes|iliac|renal|femoral|femur\w*|hips?|shoulders?|clavicles?|ventricles?|atri\w+|"
    r"hemispheres?|costophrenic|ureters?|thyroid|diaphragms?|hemidiaphragms?|zones?|eyes|orbits?|carotid\w*|subclavian|"
    r"upper|lower|supraclavicular|inguinal)"
)
_BILATERAL = re.compile(
    r"\bbilateral(?:ly)?\b|\bbi-?(?:basilar|basal|apical|hilar|pulmonary|axillary|lateral)\b"
    rf"|\bboth\s+(?:of\s+)?(?:the\s+)?(?:\w+\s+){{0,2}}{_PAIRED}\b|\b(?:each|either)\s+(?:side|lung|kidney|breast)\b",
)
# "right" or "left" alone may be written in any case, single letters only in capitals.
_ABBREVIATION_IN_CAPITALS = re.compile(r"\b(?:L(?:LE|UE)|R(?:LE|UE)|[LR])\b")


def _fold_case(sentence: str) -> str:
    """Lower-case everything but the abbreviations that only count in capitals."""
    parts: list[str] = []
    end = 0
    for match in _ABBREVIATION_IN_CAPITALS.finditer(sentence):
        parts += [sentence[end : match.start()].lower(), match.group()]
        end = match.end()
    parts.append(sentence[end:].lower())
    return "".join(parts)


def tag(sentence: str) -> Laterality:
    """Tell which side a sentence names; both sides in one sentence are bilateral.

    Args:
        sentence: One sentence of a report.

    Returns:
        The side, or NONE where no side is named.
    """
    text = _fold_case(_NOT_A_SIDE.sub(" ", sentence))
    left, right = _LEFT.search(text) is not None, _RIGHT.search(text) is not None
    if (left and right) or _BILATERAL.search(text):
        return Laterality.BILATERAL
    if left:
        return Laterality.LEFT
    return Laterality.RIGHT if right else Laterality.NONE
