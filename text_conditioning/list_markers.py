"""Markers of list items in a report: bullets and numbers, at the start of a line and inside one.

Reports lose their line breaks on the way through databases: "1. Nodule 2. Effusion" and "Nodule · Effusion" then stand
in one line, and a bullet that was decoded wrongly is a question mark in front of the item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DOTS = "\u2022\u25cf\u25aa\u00b7\u25e6\u2023\u27a2\uf0b7"
_NUMBER = r"\(?#?\d{1,2}(?:[.)]{1,2}(?=\s|[A-Za-z])|-(?=\s|[A-Z][a-z])|(?=[ \t]{2,}[A-Z]))"
_LETTER = (
    r"(?:\(?[a-zA-Z]\)(?=\s)|[A-H]\.(?=\s+[A-Z])|[a-h]\.(?=\s+[A-Z\d])|"
    r"(?:I{1,3}|I?V|VI{1,3}|I?X)[.)](?=\s+[A-Z]))"
)

# What an item may begin with: at the start of a line, and after the end of another item in the same line.
AT_LINE_START = re.compile(
    rf"(?:{_NUMBER}|{_LETTER}|[-*\u2013\u2014>+{_DOTS}](?=\s|[A-Za-z])|#{{1,6}}(?=\s)|o(?=\s+[A-Z])|"
    rf"(?!\?[A-Z]{{2,}}\b)\?{{1,3}}(?=\s*[A-Z])|[.,;:]+(?=\s*\w))\s*"
)
IN_LINE = re.compile(rf"(?:\(?\d{{1,2}}(?:[.)]\s+(?=[A-Z\d])|[ \t]{{2,}}(?=[A-Z]))|[{_DOTS}]\s*|[.,;:]+(?=\s*\w))")
_BULLET = re.compile(rf"(?<=\s)[{_DOTS}](?=\s)")
_DASH = re.compile(r"(?<=\s)[-\u2013*](?=\s+[A-Z])")
_COUNTED = re.compile(r"(?<!\S)\(?(\d{1,2})(?:[.)]{1,2}|-)(?=\s*[A-Z]|\s+[a-z])")


def find_inline_items(text: str, start: int, end: int) -> Iterator[int]:
    """Find where items begin inside a line.

    Bullets always begin one; dashes where the range begins with a dash; numbers where they count up from 1.

    Args:
        text: The report.
        start: First character to read.
        end: One past the last character to read.

    Yields:
        Places of the markers, which are also the ends of the items in front of them.
    """
    for match in _BULLET.finditer(text, start, end):
        yield match.start()
    first = text[start : start + 20].lstrip()[:2]
    if first in ("- ", "\u2013 ", "* "):
        for match in _DASH.finditer(text, start, end):
            if match.group() == first[0]:
                yield match.start()
    expected = 1
    for match in _COUNTED.finditer(text, start, end):
        number = int(match.group(1))
        if number == expected:
            if number > 1:
                yield match.start()
            expected += 1
        elif number == 1:
            expected = 2
