"""Whether two statements cannot mean the same finding, judged by what they say: cautiously, so in doubt they might.

Used where a finding must be known to be absent from an image although nobody wrote so: the words of another case's
finding ask for nothing here only if no statement of this case could mean it.
"""

from __future__ import annotations

import re

from text_conditioning.laterality import Laterality
from text_conditioning.levels import Level
from text_conditioning.reports import Sentence

_ONE_SIDED = (Laterality.LEFT, Laterality.RIGHT)
_ONE_LEVEL = (Level.UPPER, Level.MIDDLE, Level.LOWER)
_WORD = re.compile(r"[a-z]{4,}")
# Words that say where, how large or how certain, not what.
_NO_FINDING = frozenset(
    """
    about again almost also anterior apex apical appearance apparent approximately area areas axial base basal
    both bilateral case central chest consistent could current compatible diameter diffuse distal examination
    favor favour favouring field fields findings from have inferior is large largest lateral left level likely
    linear lobe lobes located location lower lung lungs measured measures measuring medial middle mild minimal
    moderate multiple near noted observed parenchyma peripheral posterior present previous probable probably
    proximal region represent right seen segment segments several side sided size small superior suspected
    than that there this thoracic upper visible visualized were which with within zone
    """.split()
)


def told_apart(one: Sentence, other: Sentence) -> bool:
    """Whether two statements cannot mean the same finding.

    They name different sides, or different levels, or have no word for a finding in common.
    """
    return (
        _differ(one.laterality, other.laterality, _ONE_SIDED)
        or _differ(one.level, other.level, _ONE_LEVEL)
        or not (_finding_words(one.text) & _finding_words(other.text))
    )


def _differ(one: object, other: object, known: tuple[object, ...]) -> bool:
    return one in known and other in known and one != other


def _finding_words(text: str) -> frozenset[str]:
    """Words of a text that may name a finding, in the singular."""
    words = {word.removesuffix("s") for word in _WORD.findall(text.casefold())}
    return frozenset(words - {word.removesuffix("s") for word in _NO_FINDING})
