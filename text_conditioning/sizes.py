"""Lengths a sentence states, in mm: "8 mm", "1.5 x 2 cm", "6-8 mm", "12 mm x 9 mm".

Words such as "subcentimetre" and "millimetric" state no number and give none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(?:\d+(?:[.,]\d+)?|(?<![\d.,])\.\d+)"
_UNIT = r"(?P<unit>mm{1,2}|cm|millimet(?:er|re)s?|centimet(?:er|re)s?)"
_AXIS = r"(?:\s*\(?(?:AP|TR|TV|CC|SI|ML|LL|W|L|H)\)?)?"
_LINK = r"\s*(?:x|\u00d7|\*|by|to|and|or|-|\u2013|,\s*and)\s*"
# an area, a volume, a speed or a pressure is not a length: "5 cm2", "3 mm\u00b3", "2 cm/s", "12 mmHg", "10 cm H2O"
_SIZES = re.compile(
    rf"(?<![\d.,])(?P<numbers>{_NUMBER}(?:{_AXIS}{_LINK}{_NUMBER}){{0,3}})\s*-?\s*{_AXIS}\s*{_UNIT}"
    r"(?![\w\u00b2\u00b3^]|\s*/\s*[^\W\d]|\s*(?:Hg|H2O)\b)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(_NUMBER)
# "segment 8 and 11 mm": the number behind such a word counts something else
_COUNTER = re.compile(
    r"\b(?:segments?|images?|im|series|serial|ser|sections?|slices?|levels?|stations?|ribs?|no|number|#)\.?\s*$",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s*(?:,\s*and|and|,|-|\u2013|to|or)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class StatedSize:
    """One statement of size: "1.5 x 2 cm" is one with two lengths.

    Attributes:
        start: First character of the numbers in the sentence.
        end: One past the unit.
        mm: Lengths in mm, in order.
        last: First character of the last number; differs from ``start`` where there are several.
    """

    start: int
    end: int
    mm: tuple[float, ...]
    last: int


def find_sizes(sentence: str) -> list[StatedSize]:
    """Find all statements of size with a unit of length.

    Args:
        sentence: One sentence of a report.

    Returns:
        The statements in order, none overlapping.
    """
    found: list[StatedSize] = []
    for match in _SIZES.finditer(sentence):
        factor = 10.0 if match["unit"].lower().startswith("c") else 1.0
        places = [(m.start() + match.start(), m.group()) for m in _NUMBERS.finditer(match["numbers"])]
        if len(places) > 1 and _counts_something_else(sentence, places):
            places = places[1:]
        lengths = tuple(round(float(number.replace(",", ".")) * factor, 3) for _, number in places)
        found.append(StatedSize(places[0][0], match.end(), lengths, places[-1][0]))
    return found


def _counts_something_else(sentence: str, places: list[tuple[int, str]]) -> bool:
    (first, number), (second, _) = places[:2]
    between = sentence[first + len(number) : second]
    return _JOINED.fullmatch(between) is not None and _COUNTER.search(sentence[max(0, first - 20) : first]) is not None


def read_sizes_mm(sentence: str) -> tuple[float, ...]:
    """Read all stated lengths in order of appearance, current and prior alike.

    Args:
        sentence: One sentence of a report.

    Returns:
        Lengths in mm; empty where none is stated with a unit.
    """
    return tuple(length for size in find_sizes(sentence) for length in size.mm)
