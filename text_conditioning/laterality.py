"""The side a sentence speaks of.

Frozen encoders put "left" and "right" almost on one point, so the side is also handed over as a label of its own. What
counts as a side word is decided in `side_words`.
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
    r"upper|lower|supraclavicular|inguinal)"
)
_BILATERAL = re.compile(
    r"\bbilateral(?:ly)?\b|\bbi-?(?:basilar|basal|apical|hilar|pulmonary|axillary|lateral)\b"
    rf"|\bboth\s+(?:of\s+)?(?:the\s+)?(?:\w+\s+){{0,2}}{_PAIRED}\b|\b(?:each|either)\s+(?:side|lung|kidney|breast)\b",
    re.IGNORECASE,
)


def tag(sentence: str) -> Laterality:
    """Tell which side a sentence names; both sides in one sentence are bilateral.

    Args:
        sentence: One sentence of a report.

    Returns:
        The side, or NONE where no side is named.
    """
    sides = {word.left for word in find_side_words(sentence)}
    if len(sides) == 2 or _BILATERAL.search(sentence):
        return Laterality.BILATERAL
    if not sides:
        return Laterality.NONE
    return Laterality.LEFT if True in sides else Laterality.RIGHT
