"""Lengths a sentence states, in mm: "8 mm", "1.5 x 2 cm", "6-8 mm", "3, 4 and 6 mm", "12 mm x 9 mm", "one centimetre".

Words such as "subcentimetre" and "millimetric" state no number and give none. How thick the slices of the examination
are is no size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = {
    word: float(number)
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), start=1)
}
_PARTS = {"\u00bc": "1/4", "\u00bd": "1/2", "\u00be": "3/4"}
_DASH = r"[-\u2010-\u2014\u2212]"
_UNIT_NAME = r"(?:mm{1,2}s?|cms?|millimet(?:er|re)s?|centimet(?:er|re)s?)"
_WORD = rf"\b(?:{'|'.join(_WORDS)})\b"
# "two millimetres", but "two millimetre-sized cysts" are two
_SPELLED = rf"{_WORD}(?=(?:\s+(?:or|to)\s+{_WORD})?[\s-]+{_UNIT_NAME}\b(?![\s-]+sized?))"
_HALF = rf"(?:(?:\d{{1,2}}|{_WORD})\s+and\s+a\s+half|\bhalf\s+an?)\b"
_FRACTION = r"(?:\d{1,2}[ \t-]+)?\b(?:1/[234]|2/3|3/4)"
_NUMBER = (
    r"(?:(?:\d{1,2}[ \t-]*)?[\u00bc-\u00be]|"
    rf"{_FRACTION}(?=[\s-]*c)|{_HALF}|{_SPELLED}|\d+(?:[.,]\d+)?|(?<![\d.,])\.\d+)"
)
_UNIT = rf"(?P<unit>{_UNIT_NAME})"
_AXIS = r"(?:\s*\(?(?:AP|TR|TV|CC|SI|ML|LL|W|L|H)\)?)?"
_TIMES = r"(?:x|\u00d7|\*|by)"
_LINK = rf"(?:{_AXIS}\s*{_TIMES}|\s*(?:to|and|or|{_DASH}|,\s*and))\s*"
_ANY_UNIT = re.compile(r"[cm]m|(?:lli|nti)met", re.IGNORECASE)  # told in passing, so that most sentences cost nothing
# an area, a volume, a speed or a pressure is not a length: "5 cm2", "3 mm\u00b3", "2 cm/s", "12 mmHg", "10 cm H2O"
_SIZES = re.compile(
    rf"(?<![\d.,])(?P<numbers>(?:\d{{1,3}}(?:\.\d+)?,\s+){{1,4}}{_NUMBER},?\s+(?:and|or)\s+{_NUMBER}"
    rf"|{_NUMBER}(?:{_LINK}{_NUMBER}){{0,3}})\s*{_DASH}?\s*{_AXIS}\s*{_UNIT}"
    r"(?![\w\u00b2\u00b3^]|\s*/\s*[^\W\d]|\s+per\b|\s*(?:Hg|H2O)\b)",
    re.IGNORECASE,
)
_NUMBERS = re.compile(rf"{_HALF}|{_FRACTION}|{_WORD}|{_NUMBER}", re.IGNORECASE)
# "segment 8 and 11 mm": the number behind such a word counts something else
_COUNTER = re.compile(
    r"\b(?:segments?|images?|im|series|serial|ser|sections?|slices?|levels?|stations?|ribs?|no|number|#)\.?\s*$",
    re.IGNORECASE,
)
_JOINED = re.compile(rf"\s*(?:,\s*and|and|,|{_DASH}|to|or)\s*", re.IGNORECASE)
# "5 mm axial slices", "slice thickness of 1.25 mm"
_SLICES_BEHIND = re.compile(
    r"[\s-]*(?:thick(?:ness)?\s+)?(?:(?:contiguous|axial|sagittal|coronal|transverse|thin|helical|spiral|overlapping)\s+)*"
    r"(?:slices?|sections?|cuts|collimation|intervals|increments?|reconstructions?|reformat\w*|images?)\b"
    r"(?!\s+of\b|\s*#?\s*\d)",
    re.IGNORECASE,
)
_SLICES_BEFORE = re.compile(
    r"\b(?:(?:slice|section|cut)\s+(?:thickness(?:es)?|spacing|intervals?|increments?|width)|collimation)"
    r"(?:\W|\b(?:of|was|is|were|with|an?|approximately|up|to|between|from|used)\b)*$",
    re.IGNORECASE,
)
# "12 mm (previously 10 x 8)": the unit is that of the size in front
_EARLIER_WITHOUT_UNIT = re.compile(
    r"\s*(?:\(\s*(?:was|were)|[(,]\s*(?:previous(?:ly)?|formerly|prior|prev\b\.?))\b\W*(?:(?:measur\w+|was|were)\s+)?"
    rf"(?P<numbers>(?!\d{{4}}){_NUMBER}(?:{_LINK}{_NUMBER}){{0,2}})(?=\s*(?:[),;]|\.?\s*$|\.\s))",
    re.IGNORECASE,
)
_REACH = 60  # characters in front of a size that are looked at


@dataclass(frozen=True)
class StatedSize:
    """One statement of size: "1.5 x 2 cm" is one with two lengths.

    Attributes:
        start: First character of the numbers in the sentence.
        end: One past the unit.
        mm: Lengths in mm, in order.
        last: First character of the last number; differs from ``start`` where there are several.
        steps_mm: How finely each length is stated, in mm: 1 for "8 mm" and "1.2 cm", 10 for "2 cm", 5 for "1 1/2 cm".
    """

    start: int
    end: int
    mm: tuple[float, ...]
    last: int
    steps_mm: tuple[float, ...]


def find_sizes(sentence: str) -> list[StatedSize]:
    """Find all statements of size with a unit of length.

    Args:
        sentence: One sentence of a report.

    Returns:
        The statements in order, none overlapping.
    """
    found: list[StatedSize] = []
    if _ANY_UNIT.search(sentence) is None:
        return found
    for match in _SIZES.finditer(sentence):
        before = sentence[max(0, match.start() - _REACH) : match.start()]
        if _SLICES_BEHIND.match(sentence, match.end()) or _SLICES_BEFORE.search(before):
            continue
        factor = 10.0 if match["unit"].lower().startswith("c") else 1.0
        places = _numbers(match)
        if len(places) > 1 and _counts_something_else(sentence, places):
            places = places[1:] if len(places) == 2 else places[-1:]
        found.append(_stated(places, match.end(), factor))
        earlier = _EARLIER_WITHOUT_UNIT.match(sentence, match.end())
        if earlier:
            found.append(_stated(_numbers(earlier), earlier.end(), factor))
    return found


def _numbers(match: re.Match[str]) -> list[tuple[int, str]]:
    return [(m.start() + match.start("numbers"), m.group()) for m in _NUMBERS.finditer(match["numbers"])]


def _stated(places: list[tuple[int, str]], end: int, factor: float) -> StatedSize:
    parts = [_parts(number) for _, number in places]
    lengths = tuple(round(sum(map(_value, number)) * factor, 3) for number in parts)
    steps = tuple(min(map(_step, number)) * factor for number in parts)
    return StatedSize(places[0][0], end, lengths, places[-1][0], steps)


def _parts(number: str) -> list[str]:
    """What a number as written adds up: "2,5", "two", "1 1/2", "one and a half"."""
    number = re.sub(r"(?:and\s+a\s+)?half(?:\s+an?)?", " 1/2", number.lower().replace(",", "."))
    for sign, part in _PARTS.items():
        number = number.replace(sign, " " + part)
    return number.replace("-", " ").split()


def _value(part: str) -> float:
    numerator, _, denominator = part.partition("/")
    return _WORDS.get(part) or float(numerator) / float(denominator or 1)


def _step(part: str) -> float:
    """What one more in the last place would add."""
    _, _, denominator = part.partition("/")
    _, _, decimals = part.partition(".")
    return 1.0 / float(denominator or 10 ** len(decimals))


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
