"""Lengths a sentence states, in mm: "8 mm", "1.5 x 2 cm", "6-8 mm", "12 mm x 9 mm"."""

from __future__ import annotations

import re

_NUMBER = r"\d+(?:[.,]\d+)?"
_UNIT = r"(?P<unit>mm|cm|millimet(?:er|re)s?|centimet(?:er|re)s?)"
_LINK = r"\s*(?:x|\u00d7|\*|by|to|and|-|\u2013)\s*"
# an area, a volume, a speed or a pressure is not a length: "5 cm2", "3 mm\u00b3", "2 cm/s", "12 mmHg"
_SIZES = re.compile(
    rf"(?<![\d.,])(?P<numbers>{_NUMBER}(?:{_LINK}{_NUMBER}){{0,3}})\s*-?\s*{_UNIT}(?![\w\u00b2\u00b3^]|\s*/)",
    re.IGNORECASE,
)


def read_sizes_mm(sentence: str) -> tuple[float, ...]:
    """Read all stated lengths in order of appearance.

    Args:
        sentence: One sentence of a report.

    Returns:
        Lengths in mm; empty where none is stated with a unit.
    """
    sizes: list[float] = []
    for match in _SIZES.finditer(sentence):
        factor = 10.0 if match["unit"].lower().startswith("c") else 1.0
        for number in re.findall(_NUMBER, match["numbers"]):
            sizes.append(round(float(number.replace(",", ".")) * factor, 3))
    return tuple(sizes)
