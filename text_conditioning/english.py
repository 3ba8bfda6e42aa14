"""Whether texts are likely English, by words that hardly occur in other languages.

For a notice only: nothing is read differently because of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# Small words that other languages do not share ("in", "no", "is" and "of" are also German, Spanish or Dutch).
_ENGLISH = frozenset("the and with are there were without which both left right this that has have".split())
_FEWEST_WORDS = 60  # below that, nothing can be said
_SMALLEST_SHARE = 0.01
_WORD = re.compile(r"[^\W\d_]+")


def looks_english(texts: Iterable[str]) -> bool:
    """Tell whether texts may be English; true where there is too little text to tell.

    Args:
        texts: Reports.
    """
    words = english = 0
    for text in texts:
        found = _WORD.findall(text.lower())
        words += len(found)
        english += sum(word in _ENGLISH for word in found)
    return words < _FEWEST_WORDS or english >= _SMALLEST_SHARE * words
