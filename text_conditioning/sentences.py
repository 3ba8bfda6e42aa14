"""Where the sentences of a report begin and end.

General splitters stumble over reports: measurements ("1.5 cm"), abbreviations ("Lt. upper lobe"), enumerations, missing
full stops at line ends, and lines that are wrapped in the middle of a sentence.
"""

from __future__ import annotations

import re

Span = tuple[int, int]

_BULLET = r"[-*\u2022\u2013\u2014\u25cf\u25aa\u00b7>+]"
_STOP = re.compile(r"[.!?]+[\"'\u201d\u2019)\]]*(?=\s|$)|(?<=[a-z]{2})\.(?=[A-Z][a-z ])")
_NEWLINE = re.compile(r"(?:(?<![ \t])[ \t]+)?(?:\r\n|\r|\n)\s*")
_MARKER = re.compile(rf"(?:\(?\d{{1,2}}[.)](?=\s|[A-Za-z])|\(?[a-zA-Z]\)(?=\s)|{_BULLET}(?=\s|[A-Za-z]))\s*")
_INLINE_MARKER = re.compile(r"\d{1,2}[.)]\s+(?=[A-Z\d])|[\u2022\u25cf\u25aa]\s*")

# abbreviations that never end a sentence, and those that do so only before a capital
_NEVER_LAST = frozenset("dr prof vs lt rt e.g i.e eg ie approx fig cf incl resp st mr mrs".split())
_SELDOM_LAST = frozenset("ca min max no nr seg im img ser se diam bilat post ant sup inf lat".split())
_UNITS = frozenset("mm cm ml".split())
_AFTER_UNIT = frozenset("in x by long thick wide sized nodule mass lesion diameter at on with and".split())
# a line that ends on one of these goes on in the next line
_OPEN_WORDS = frozenset(
    (
        "the a an of in on at to with without and or for from by is are was were no measuring measures than as which "
        "that be approximately"
    ).split()
)
_WRAP_COLUMN = 55
_BRACKET_REACH = 80
_LOOK_BACK = 400  # characters; keeps long reports linear


def _ends_sentence(text: str, stop: re.Match[str], start: int, end: int) -> bool:
    """Tell whether the full stop ends a sentence of text[start:end]."""
    if _inside_brackets(text, stop, start, end):
        return False
    if stop.group().endswith(")") and text[stop.end() : min(end, stop.end() + _LOOK_BACK)].lstrip()[:1].islower():
        return False
    if "." not in stop.group() or len(stop.group()) > 1:
        return True
    word = re.search(r"(\S*)$", text[max(start, stop.start() - _LOOK_BACK) : stop.start()])
    token = word.group(1).lower().lstrip("([") if word else ""
    following = text[stop.end() : min(end, stop.end() + _LOOK_BACK)].lstrip()
    if not following:
        return True
    if "\n" in text[stop.end() : text.index(following[0], stop.end())]:
        return token not in _NEVER_LAST
    next_word = re.match(r"[\w-]*", following)
    after = next_word.group().lower() if next_word else ""
    if token in _NEVER_LAST or (len(token) == 1 and token.isalpha() and following[0].isalpha()):
        return False
    if token in _SELDOM_LAST:
        return following[0].isupper()
    if token in _UNITS or re.fullmatch(r"[\d.,x-]+(?:mm|cm|ml)", token):
        return following[0].isupper() or after not in _AFTER_UNIT
    return True


def _inside_brackets(text: str, stop: re.Match[str], start: int, end: int) -> bool:
    """Tell whether brackets that opened before the stop close shortly after it: "(debris? blood?)"."""
    first = max(start, stop.end() - _LOOK_BACK)
    if text.rfind("(", first, stop.end()) <= text.rfind(")", first, stop.end()):
        return False
    close = text.find(")", stop.end(), min(stop.end() + _BRACKET_REACH, end))
    return close >= 0 and not {"(", "\n"} & set(text[stop.end() : close])


def _line_ends_sentence(text: str, newline: re.Match[str], start: int, end: int, upper: bool) -> bool:
    """Tell whether a line break inside text[start:end] ends a sentence although no full stop does."""
    following = text[newline.end() : min(end, newline.end() + _LOOK_BACK)]
    if not following or len(re.findall(r"\r\n|\r|\n", newline.group())) > 1 or _MARKER.match(following):
        return True
    line_start = max(text.rfind("\n", 0, newline.start()), text.rfind("\r", 0, newline.start())) + 1
    line = text[max(line_start, start) : newline.start()].rstrip()
    last = re.search(r"([\w.-]*)[,;(/-]?$", line[-_LOOK_BACK:])
    if line.endswith((",", "(", "/", "-")) or (last and last.group(1).lower() in _OPEN_WORDS):
        return False
    if following[0].islower():
        return False
    wrapped = len(line) >= _WRAP_COLUMN
    if following[0].isdigit() or upper:
        return not wrapped
    return True


def split_sentences(text: str, start: int = 0, end: int | None = None) -> tuple[list[Span], list[Span]]:
    """Split text[start:end] into sentences.

    Args:
        text: The report.
        start: First character to read.
        end: One past the last character to read.

    Returns:
        Spans of the sentences and spans of list markers and ruler lines; with white space they cover the range.
    """
    end = len(text) if end is None else end
    cuts = {start, end}
    upper = text[start:end].isupper()
    cuts.update(m.end() for m in _STOP.finditer(text, start, end) if _ends_sentence(text, m, start, end))
    cuts.update(m.end() for m in _NEWLINE.finditer(text, start, end) if _line_ends_sentence(text, m, start, end, upper))
    line_starts = {start} | {m.end() for m in _NEWLINE.finditer(text, start, end)}

    sentences: list[Span] = []
    markers: list[Span] = []
    ordered = sorted(cuts)
    first_words, _ = _strip(text, start, end)
    position = start
    for cut in ordered[1:]:
        first, last = _strip(text, position, cut)
        if first >= last:
            continue
        at_line_start = first in line_starts or first == first_words
        marker = (_MARKER if at_line_start else _INLINE_MARKER).match(text, first, end)
        # "2." alone looks like a sentence: it is the marker of the one that follows
        if marker and marker.end() >= last and marker.end() < end:
            markers.append(_strip(text, first, marker.end()))
            position = max(cut, first)
            continue
        if marker and marker.end() < last:
            markers.append(_strip(text, first, marker.end()))
            first = marker.end()
        if any(character.isalnum() for character in text[first:last]):
            sentences.append((first, last))
        else:
            markers.append((first, last))
        position = cut
    return sentences, markers


def _strip(text: str, start: int, end: int) -> Span:
    """Shrink a span to exclude white space at both ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
