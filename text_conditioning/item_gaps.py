"""Gaps of several blanks inside the lines of a report: they separate items, or the columns of a table."""

from __future__ import annotations

import re
from itertools import pairwise

from text_conditioning.sentence_words import NEVER_LAST, OPEN_WORDS, last_word

_GAP = re.compile(r"(?<=[^\s:;(/\u2013-])[ \t\u00a0]{2,}(?=[A-Z]|\(?\d{1,2}[.)]\s|\d+(?:[.,]\d+)?[\s-]*[mc]m\b)")
_GAP_INSIDE = re.compile(r"(?<=\S)[ \t\u00a0]{2,}(?=[a-z])")
_BRACKET_REACH = 80
LOOK_BACK = 400  # characters; keeps long reports linear


def is_inside_brackets(text: str, place: int, start: int, end: int) -> bool:
    """Tell whether brackets that opened before a place close shortly after it: "(debris? blood?)"."""
    first = max(start, place - LOOK_BACK)
    if text.rfind("(", first, place) <= text.rfind(")", first, place):
        return False
    close = text.find(")", place, min(place + _BRACKET_REACH, end))
    return close >= 0 and not {"(", "\n"} & set(text[place:close])


def find_gaps(text: str, start: int, end: int) -> list[int]:
    """Find double spaces that separate items; none in texts that have them between any two words."""
    gaps = [match.start() for match in _GAP.finditer(text, start, end)]
    if not gaps or 2 * sum(1 for _ in _GAP_INSIDE.finditer(text, start, end)) > len(gaps):
        return []
    # where several items are told apart so, also one that breaks off ends there
    open_words = OPEN_WORDS | NEVER_LAST if len(gaps) == 1 else NEVER_LAST
    columns = _columns(text, start, gaps)
    return [
        gap
        for gap in gaps
        if gap not in columns
        and last_word(text, start, gap).rstrip(".") not in open_words
        and not is_inside_brackets(text, gap, start, end)
    ]


def _columns(text: str, start: int, gaps: list[int]) -> set[int]:
    """Gaps behind which a column of a table begins: in the next line with a gap, one ends below them."""
    rows: dict[int, dict[int, int]] = {}
    line = before = start
    for gap in gaps:
        line = text.rfind("\n", before, gap) + 1 or line
        place = before = gap
        while text[place].isspace():
            place += 1
        rows.setdefault(line, {})[place - line] = gap
    return {
        row[column]
        for above, below in pairwise(rows.values())
        for column in above.keys() & below.keys()
        for row in (above, below)
    }
