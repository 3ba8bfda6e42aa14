"""Where the sentences of a report begin and end.

General splitters stumble over reports: measurements ("1.5 cm"), abbreviations ("Lt. upper lobe"), enumerations, items
that only a double space separates, missing full stops at line ends, and lines that are wrapped inside a sentence.
"""

from __future__ import annotations

import re

from text_conditioning.list_markers import AT_LINE_START, IN_LINE, find_inline_items

Span = tuple[int, int]

LONGEST_SENTENCE: int = 1000  # characters; what is longer is no sentence, and is cut at a comma or white space

_STOP = re.compile(
    r"(?<![.!?])[.!?]+[\"'\u201d\u2019)\]]*(?=\s|$)"
    r"|(?:(?<=[a-z]{2})|(?<=\s))\.(?=[A-Z][a-z ])|(?<=[a-z]{2})\.(?=\d{1,2}[.)]?\s+[A-Z])"
)
_NEWLINE = re.compile(r"(?:(?<![ \t])[ \t]+)?(?:\r\n|\r|\n)\s*")
_GAP = re.compile(r"(?<=[^\s:;(/\u2013-])[ \t\u00a0]{2,}(?=[A-Z]|\(?\d{1,2}[.)]\s|\d+(?:[.,]\d+)?[\s-]*[mc]m\b)")
_GAP_INSIDE = re.compile(r"(?<=\S)[ \t\u00a0]{2,}(?=[a-z])")
_LOOSE_STOP = re.compile(r"[.,;:!]+")
# "Cyst? Hemangioma? is suspected.": questions in the middle of a sentence
_MORE_QUESTIONS = re.compile(r"[\w-]+(?:\s[\w-]+){0,2}\s?\?\s+[a-z]")
_NUMBERED = re.compile(r"\d{1,2}(?:-\d{1,2})*")
_SIDES = frozenset("left right bilateral both".split())
_WORD = re.compile(r"[\w-]*")

# abbreviations that never end a sentence, and those that do so only before a capital
_NEVER_LAST = frozenset("dr prof vs lt rt e.g i.e eg ie approx fig cf incl resp st mr mrs esp".split())
_SELDOM_LAST = frozenset(
    "ca min max no nr seg im img ser se diam bilat post ant sup inf lat med lab cor corr clin prev susp".split()
)
# a letter behind one of these is no initial: "hepatitis B."
_LETTERED = frozenset("hepatitis vitamin type grade stage class group segment category influenza level point".split())
_UNITS = frozenset("mm cm ml".split())
_AFTER_UNIT = frozenset("in x by long thick wide sized nodule mass lesion diameter at on with and".split())
_COUNTED = frozenset(
    "rib ribs costa costal intercostal vertebra vertebral thoracic lumbar segment and month week".split()
)
# Written small behind a full stop these go on with the sentence; the stop belongs to an abbreviation or is a slip.
_GOES_ON = frozenset("is are was were recommended which".split())
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
_LONGEST_WORD = 40


def _last_word(text: str, start: int, end: int) -> str:
    """The characters before ``end`` up to white space."""
    end_of_text = text[max(start, end - _LONGEST_WORD) : end]
    return "" if not end_of_text or end_of_text[-1].isspace() else end_of_text.split()[-1]


def _ends_sentence(text: str, stop: re.Match[str], start: int, end: int) -> bool:
    """Tell whether a stop ends a sentence of text[start:end]."""
    if _inside_brackets(text, stop.end(), start, end):
        return False
    rest = text[stop.end() : min(end, stop.end() + _LOOK_BACK)]
    following = rest.lstrip()
    if not following:
        return True
    if following[0].islower() and ("?" in stop.group() or stop.group().endswith(")")):
        return False
    if "?" in stop.group() and _MORE_QUESTIONS.match(following):
        return False
    if "." not in stop.group() or len(stop.group()) > 1:
        return True
    token = _last_word(text, start, stop.start()).lower().lstrip("([")
    if "\n" in rest[: len(rest) - len(following)]:
        return token not in _NEVER_LAST
    return _full_stop_ends_sentence(text, start, stop.start(), token, following)


def _full_stop_ends_sentence(text: str, start: int, stop: int, token: str, following: str) -> bool:
    """Tell whether a full stop between a token and further text in the same line ends a sentence."""
    next_word = _WORD.match(following)
    after = next_word.group() if next_word else ""
    if token in _NEVER_LAST or after in _GOES_ON:
        return False
    before = _last_word(text, start, stop - len(token) - 1).lower()
    if len(token) == 1 and token.isalpha() and following[0].isalpha():
        return before in _LETTERED
    if _NUMBERED.fullmatch(token) and (before in _SIDES or after in _COUNTED):
        return False
    if token in _SELDOM_LAST or token.rsplit("-", 1)[-1] in _SELDOM_LAST:
        return following[0].isupper()
    if token in _UNITS or re.fullmatch(r"[\d.,x-]+(?:mm|cm|ml)", token):
        return following[0].isupper() or after.lower() not in _AFTER_UNIT
    return True


def _inside_brackets(text: str, place: int, start: int, end: int) -> bool:
    """Tell whether brackets that opened before a place close shortly after it: "(debris? blood?)"."""
    first = max(start, place - _LOOK_BACK)
    if text.rfind("(", first, place) <= text.rfind(")", first, place):
        return False
    close = text.find(")", place, min(place + _BRACKET_REACH, end))
    return close >= 0 and not {"(", "\n"} & set(text[place:close])


def _line_ends_sentence(text: str, newline: re.Match[str], start: int, end: int, listed: bool) -> bool:
    """Tell whether a line break inside text[start:end] ends a sentence although no full stop does."""
    following = text[newline.end() : min(end, newline.end() + _LOOK_BACK)]
    if not following or len(re.findall(r"\r\n|\r|\n", newline.group())) > 1 or AT_LINE_START.match(following):
        return True
    before = text[max(start, newline.start() - _LOOK_BACK) : newline.start()]
    line = before[max(before.rfind("\n"), before.rfind("\r")) + 1 :].rstrip()
    if line.endswith((",", "(", "/", "-")) or _last_word(line, 0, len(line)).lower().rstrip(";") in _OPEN_WORDS:
        return False
    if listed or following[0].isdigit():
        return len(line) < _WRAP_COLUMN
    return not following[0].islower()


def _find_gaps(text: str, start: int, end: int) -> list[int]:
    """Find double spaces that separate items; none in texts that have them between any two words."""
    gaps = [match.start() for match in _GAP.finditer(text, start, end)]
    if not gaps or 2 * sum(1 for _ in _GAP_INSIDE.finditer(text, start, end)) > len(gaps):
        return []
    # where several items are told apart so, also one that breaks off ends there
    open_words = _OPEN_WORDS | _NEVER_LAST if len(gaps) == 1 else _NEVER_LAST
    return [
        gap
        for gap in gaps
        if _last_word(text, start, gap).rstrip(".") not in open_words and not _inside_brackets(text, gap, start, end)
    ]


def _find_cuts(text: str, start: int, end: int) -> list[int]:
    """Find where sentences of text[start:end] end, in order."""
    block = text[start:end]
    # Lines of a text without case, or without any stop, are told apart by their lengths alone.
    listed = block.isupper() or (block.lstrip()[:1].islower() and _STOP.search(block.rstrip(" \t\r\n.")) is None)
    cuts = {end, *_find_gaps(text, start, end), *find_inline_items(text, start, end)}
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
