"""Where the sentences of a report begin and end.

General splitters stumble over reports: measurements ("1.5 cm"), abbreviations ("Lt. upper lobe"), enumerations, items
that only a double space separates, missing full stops at line ends, and lines that are wrapped inside a sentence.
"""

from __future__ import annotations

import re

from text_conditioning.item_gaps import LOOK_BACK, find_gaps, is_inside_brackets
from text_conditioning.list_markers import AT_LINE_START, IN_LINE, find_inline_items
from text_conditioning.sentence_words import (
    AFTER_UNIT,
    COUNTED,
    GOES_ON,
    LETTERED,
    NEVER_LAST,
    OPEN_WORDS,
    SELDOM_LAST,
    SIDES,
    UNITS,
    last_word,
)

Span = tuple[int, int]

LONGEST_SENTENCE: int = 1000  # characters; what is longer is no sentence, and is cut at a comma or white space

_STOP = re.compile(
    r"(?<![.!?])[.!?]+[\"'\u201d\u2019)\]]*(?=\s|$)"
    r"|(?:(?<=[a-z]{2})|(?<=\s))\.(?=[A-Z][a-z ]|[A-Z]{2,}\b)|(?<=[a-z]{2})\.(?=\d{1,2}[.)]?\s+[A-Z])"
)
_NEWLINE = re.compile(r"(?:(?<![ \t])[ \t]+)?(?:\r\n|\r|\n)\s*")
_LOOSE_STOP = re.compile(r"[.,;:!]+")
# "Cyst? Hemangioma? is suspected.": questions in the middle of a sentence
_MORE_QUESTIONS = re.compile(r"[\w-]+(?:\s[\w-]+){0,2}\s?\?\s+[a-z]")
_NUMBERED = re.compile(r"\d{1,2}(?:-\d{1,2})*")
_WORD = re.compile(r"[\w-]*")

_WRAP_COLUMN = 55


def _ends_sentence(text: str, stop: re.Match[str], start: int, end: int) -> bool:
    """Tell whether a stop ends a sentence of text[start:end]."""
    if is_inside_brackets(text, stop.end(), start, end):
        return False
    rest = text[stop.end() : min(end, stop.end() + LOOK_BACK)]
    following = rest.lstrip()
    if not following:
        return True
    if following[0].islower() and ("?" in stop.group() or stop.group().endswith(")")):
        return False
    if "?" in stop.group() and _MORE_QUESTIONS.match(following):
        return False
    if "." not in stop.group() or len(stop.group()) > 1:
        return True
    token = last_word(text, start, stop.start()).lower().lstrip("([")
    if "\n" in rest[: len(rest) - len(following)]:
        return token not in NEVER_LAST
    return _full_stop_ends_sentence(text, start, stop.start(), token, following)


def _full_stop_ends_sentence(text: str, start: int, stop: int, token: str, following: str) -> bool:
    """Tell whether a full stop between a token and further text in the same line ends a sentence."""
    next_word = _WORD.match(following)
    after = next_word.group() if next_word else ""
    if token in NEVER_LAST or after in GOES_ON:
        return False
    before = last_word(text, start, stop - len(token) - 1).lower()
    if len(token) == 1 and token.isalpha() and following[0].isalpha():
        return before in LETTERED
    if _NUMBERED.fullmatch(token) and (before in SIDES or after in COUNTED):
        return False
    if token in SELDOM_LAST or token.rsplit("-", 1)[-1] in SELDOM_LAST:
        return following[0].isupper()
    if token in UNITS or re.fullmatch(r"[\d.,x-]+(?:mm|cm|ml)", token):
        return following[0].isupper() or after.lower() not in AFTER_UNIT
    return True


def _line_ends_sentence(text: str, newline: re.Match[str], start: int, end: int, listed: bool) -> bool:
    """Tell whether a line break inside text[start:end] ends a sentence although no full stop does."""
    following = text[newline.end() : min(end, newline.end() + LOOK_BACK)]
    if not following or len(re.findall(r"\r\n|\r|\n", newline.group())) > 1 or AT_LINE_START.match(following):
        return True
    before = text[max(start, newline.start() - LOOK_BACK) : newline.start()]
    line = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :].rstrip()
    if not any(character.isalnum() for character in line):
        return True  # a ruler line
    if line.endswith((",", "(", "/", "-")) or last_word(line, 0, len(line)).lower().rstrip(";") in OPEN_WORDS:
        return False
    if len(line) >= _WRAP_COLUMN and _STOP.search(line):
        return False  # whoever writes several sentences into a line ends them with stops
    if listed or following[0].isdigit():
        return len(line) < _WRAP_COLUMN
    return not following[0].islower()


def _find_cuts(text: str, start: int, end: int) -> list[int]:
    """Find where sentences of text[start:end] end, in order."""
    block = text[start:end]
    # Lines of a text without case, or without any stop, are told apart by their lengths alone.
    listed = block.isupper() or (block.lstrip()[:1].islower() and _STOP.search(block.rstrip(" \t\r\n.")) is None)
    cuts = {end, *find_gaps(text, start, end), *find_inline_items(text, start, end)}
    cuts.update(m.end() for m in _STOP.finditer(text, start, end) if _ends_sentence(text, m, start, end))
    for match in _NEWLINE.finditer(text, start, end):
        if _line_ends_sentence(text, match, start, end, listed):
            cuts.add(match.end())
    return sorted(cuts)


def split_sentences(text: str, start: int = 0, end: int | None = None) -> tuple[list[Span], list[Span]]:
    """Split text[start:end] into sentences.

    Args:
        text: The report.
        start: First character to read.
        end: One past the last character to read.

    Returns:
        Spans of the sentences and spans of list markers, ruler lines and loose punctuation; with white space they cover
        the range.
    """
    end = len(text) if end is None else end
    line_starts = {start, *(m.end() for m in _NEWLINE.finditer(text, start, end))}
    sentences: list[Span] = []
    markers: list[Span] = []
    first_words, _ = _strip(text, start, end)
    position = start
    for cut in _find_cuts(text, start, end):
        first, last = _strip(text, position, cut)
        if first >= last:
            continue
        at_line_start = first in line_starts or first == first_words
        if not at_line_start and sentences and _continues(text, sentences[-1], first, last, markers):
            sentences[-1] = sentences[-1][0], last
            position = cut
            continue
        marker = (AT_LINE_START if at_line_start else IN_LINE).match(text, first, end)
        # "2." alone looks like a sentence: it is the marker of the one that follows
        if marker and marker.end() >= last and marker.end() < end:
            markers.append(_strip(text, first, marker.end()))
            position = max(cut, first)
            continue
        if marker and marker.end() < last:
            markers.append(_strip(text, first, marker.end()))
            first = marker.end()
        if any(character.isalnum() for character in text[first:last]):
            sentences += _bounded(text, first, last)
        else:
            markers.append((first, last))
        position = cut
    return sentences, markers


def _continues(text: str, sentence: Span, first: int, last: int, markers: list[Span]) -> bool:
    """Tell whether text[first:last] is nothing but the full stop that the sentence before it lacks."""
    if markers and markers[-1][0] >= sentence[1]:
        return False
    return _LOOSE_STOP.fullmatch(text, first, last) is not None and text[sentence[1] - 1] not in ".!"


def _bounded(text: str, first: int, last: int) -> list[Span]:
    """Cut what is too long to be a sentence, so that nothing behind takes long."""
    spans: list[Span] = []
    while last - first > LONGEST_SENTENCE:
        limit = first + LONGEST_SENTENCE
        found = (text.rfind(mark, first + LONGEST_SENTENCE // 2, limit) + 1 for mark in (";", ",", " ", "\n"))
        cut = next((place for place in found if place), limit)
        spans.append(_strip(text, first, cut))
        first, _ = _strip(text, cut, last)
    return [span for span in [*spans, (first, last)] if span[0] < span[1]]


def _strip(text: str, start: int, end: int) -> Span:
    """Shrink a span to exclude white space at both ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
