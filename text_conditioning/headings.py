"""Headings of a report: which part of the text is findings, impression, technique and so on.

Headings stand at the start of a line with a colon, a dash or alone, or in capitals with a colon inside a line. Others
("LUNGS:", "PLEURA:") stay part of the sentence behind them and are only collected, for statistics.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache


class Section(IntEnum):
    """Part of a report. The values index an embedding table: do not renumber."""

    OTHER = 0
    FINDINGS = 1
    IMPRESSION = 2
    TECHNIQUE = 3
    CLINICAL = 4
    COMPARISON = 5


_EXAM = r"(?:exam(?:ination)?|study|scan|procedure|test|request|visit|order|referral)"
_BODY = (
    r"(?:ct|mri?|chest|thora(?:x|cic)|abdom(?:en|inal)|pelvi[sc]|lungs?|head|neck|brain|imaging|radiolog\w+|main|"
    r"pertinent|positive|additional|detailed)"
)
_HEADINGS: dict[Section, str] = {
    Section.FINDINGS: (
        rf"(?:{_BODY}\s+){{0,2}}findings?(?:\s+and\s+comments?)?|results?|observations?|description|report\s+(?:text|body)|"
        r"interpretation|narrative|body\s+of\s+report|radiological\s+report|discussion|details?"
    ),
    Section.IMPRESSION: (
        r"(?:(?:final|preliminary|overall|radiolog\w+|diagnostic|clinical|ct|mri?|main)\s+)?(?:impressions?|conclusions?|opinion|"
        r"assessment|summary|diagnos[ie]s)(?:\s*(?:/|and|&)\s*(?:plan|recommendations?|impressions?|conclusions?))?|"
        r"findings?\s+(?:and|/)\s+impressions?|imp|concl|bottom\s+line|key\s+findings?|in\s+(?:conclusion|summary)(?=\s*:)"
    ),
    Section.TECHNIQUE: (
        r"(?:(?:imaging|examination|exam|scan(?:ning)?|ct|mri?|study|acquisition)\s+)?(?:techniques?|protocols?|methods?|parameters)|"
        r"procedure(?:\s+(?:and|/)\s+(?:materials?|technique))?|contrast(?:\s+(?:agent|media|medium|material))?(?=\s*:)|"
        r"(?:radiation\s+)?dose(?:\s+report)?(?=\s*:)|dlp(?=\s*:)|technical\s+(?:details?|factors?|quality)|image\s+quality(?=\s*:)|"
        r"sequences?(?=\s*:)|materials?\s+and\s+methods?"
    ),
    Section.CLINICAL: (
        r"(?:relevant\s+|brief\s+|pertinent\s+)?clinical(?:\s*/\s*|\s+)(?:history|information|info|indications?|data|details?|"
        r"question|statement|findings|context|background|diagnosis|notes?|summary|symptoms?|presentation|problem|concern)|"
        r"clinical(?!\s*[-\u2013\u2014])|indications?(?:\s+(?:and|/)\s+history|\s+for\s+(?:the\s+)?" + _EXAM + r")?|"
        r"(?:patient(?:'s)?\s+|past\s+|(?:past\s+)?(?:medical|surgical|oncologic\w*)\s+|present\s+)?history"
        r"(?:\s+of\s+present\s+illness|\s+and\s+indications?|\s*/\s*indications?)?|"
        r"reasons?(?:\s+for\s+(?:the\s+|this\s+)?"
        + _EXAM
        + r")?(?=\s*:)|reasons?\s+for\s+(?:the\s+|this\s+)?"
        + _EXAM
        + r"|"
        r"(?:working|provisional|referring|admitting)\s+diagnosis|symptoms?(?=\s*:)|anamnesis|(?:(?:chief|presenting)\s+)?complaints?|hx(?=\s*:)"
    ),
    Section.COMPARISON: (
        r"comparisons?(?:\s+(?:studies|study|exams?|examinations?|films?|imaging|is\s+made(?:\s+(?:with|to))?|with|to|dates?))?|"
        r"(?:prior|previous|old|relevant)\s+(?:studies|study|exams?|examinations?|imaging|reports?|comparisons?)|"
        r"compared\s+(?:with|to)(?=\s*:)|correlation(?=\s*:)"
    ),
    Section.OTHER: (
        r"exam(?:ination)?s?(?:\s+(?:type|performed|description|date|name))?|study(?:\s+(?:type|date|description))?|type\s+of\s+exam\w*|"
        r"recommendations?|addend(?:um|a)(?:\s+(?:no\.?\s*|#\s*)?\d[\d./-]*(?:\s+\d{1,2}:\d\d(?:\s*[ap]\.?m\.?)?)?(?=\s*:))?|"
        r"notes?|comments?(?=\s*:)|(?:electronically\s+)?signed(?:\s+by)?|dictated(?:\s+by)?|attending(?=\s*:)|"
        r"(?:reported|interpreted|transcribed|verified|approved|authori[sz]ed)\s+by|radiologist|physician(?=\s*:)|follow-?up(?=\s*:)|"
        r"limitations?(?=\s*:)|disclaimer|critical\s+results?|communication(?=\s*:)|date(?:\s+of\s+exam\w*)?(?=\s*:)|plan(?=\s*:)|"
        r"attestation|accession(?:\s+(?:number|no))?(?=\s*:)|procedure\s+(?:name|date)"
    ),
}
# Opens the findings where no heading names them; elsewhere what stands under it is a title or an editor's note.
_REPORT = r"(?:final\s+|preliminary\s+)?report|(?:wet|preliminary|overnight)\s+read(?:ing)?"
_LINE_START = r"(?:^|(?<=[\n\r]))[ \t]*(?:[#>*_=-]+[ \t]*)?(?:\d{1,2}[.)][ \t]+)?"
_WORDS = r"[A-Z][A-Za-z]*(?:(?:[ \t]+(?:and[ \t]+|of[ \t]+|the[ \t]+)?|[ \t]*[/&,-][ \t]*)[A-Za-z]+){0,3}"
_CAPITALS = re.compile(r"(?<=[\s.])[A-Z]{2,}(?=[^a-z\n]{0,60}:)")
_BEHIND = re.compile(rf"\s{{0,20}}(?P<name>{_WORDS})[ \t]*:(?=\s)")
_LONGEST_GAP = 20  # white space between the end of a sentence and a heading behind it
# Inside a line these are said in passing and open no section: "Note: CT may be negative early."
_IN_PASSING = re.compile(r"(?i:\s*(?:notes?|details?|discussion|interpretation|results?|comments?|recommendations?)\b)")
_SENTENCE_LIKE = re.compile(r"(?:The|In|As|When|There|It|This|That|These|And|On|At|For|If|A|An)\b")


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Compile on first use, so that importing stays fast."""
    names = "|".join(f"(?P<{section.name}>{words})" for section, words in _HEADINGS.items()) + f"|(?P<REPORT>{_REPORT})"
    # "Findings:" at the start of a line or after the end of a sentence, or a line that holds nothing but the name
    heading = re.compile(
        rf"(?:{_LINE_START}|(?<=[.!?;:])\s{{1,{_LONGEST_GAP}}})(?:{names})[ \t]*"
        r"(?:\([^()\n]{1,30}\)[ \t]*(?=:))?(?:[*_]+[ \t]*)?"
        r"(?::[ \t]*(?:\*+|_{1,2}(?!_))?|[ \t]*[-\u2013\u2014](?=\s|$)|(?=[ \t]*(?:[*_=]+[ \t]*)?(?:[\r\n]|$)))",
        re.IGNORECASE,
    )
    # "... fever TECHNIQUE: ..." in reports that were joined into one line: capitals and a colon are required there
    inline = re.compile(rf"(?:{names})[ \t]*:", re.IGNORECASE)
    unknown = re.compile(
        rf"{_LINE_START}(?P<name>{_WORDS})[ \t]*:(?=\s)|(?<=[.!?])\s+(?P<inline>[A-Z][A-Z /&,-]{{2,40}}):(?=\s)"
    )
    return heading, inline, unknown


def find_headings(text: str) -> list[tuple[int, int, Section]]:
    """Find the headings of a report.

    Args:
        text: The report.

    Returns:
        Start, end and section of each heading, in order, none overlapping.
    """
    heading, inline, _ = _patterns()
    matches = list(heading.finditer(text))
    for place in _CAPITALS.finditer(text) if ":" in text else ():
        match = inline.match(text, place.start())
        if match and match.group().isupper():
            matches.append(match)
    found: list[tuple[int, int, str]] = []
    for match in sorted(matches, key=_first_character):
        start = _first_character(match)
        end = match.start() + len(match.group().rstrip())
        passing = (
            start > 0
            and text[max(0, start - _LONGEST_GAP) : start].rstrip(" \t#>*_=-")[-1:] not in ("", "\n", "\r")
            and _IN_PASSING.match(text, start)
        )
        if match.lastgroup is not None and not passing and (not found or start >= found[-1][1]):
            found.append((start, end, match.lastgroup))
    named = any(name == Section.FINDINGS.name for _, _, name in found)
    report = Section.OTHER if named else Section.FINDINGS
    return [(start, end, report if name == "REPORT" else Section[name]) for start, end, name in found]


def section_in_front(headings: list[tuple[int, int, Section]]) -> Section:
    """Tell which section stands in front of the first heading.

    Args:
        headings: The headings of a report, as :func:`find_headings` gives them.

    Returns:
        FINDINGS where there is no heading, or where none names the findings and the first one is that of the
        impression: the findings were dictated without one. OTHER elsewhere.
    """
    sections = [section for _, _, section in headings]
    dictated = not sections or (sections[0] is Section.IMPRESSION and Section.FINDINGS not in sections)
    return Section.FINDINGS if dictated else Section.OTHER


def _first_character(match: re.Match[str]) -> int:
    """Place of a heading without the white space in front of it."""
    return match.start() + len(match.group()) - len(match.group().lstrip())


def find_unknown_headings(text: str, headings: list[tuple[int, int, Section]]) -> tuple[str, ...]:
    """Find words that look like headings and are none that is known, such as "LUNGS" before a colon.

    Args:
        text: The report.
        headings: Its headings, as :func:`find_headings` gives them.

    Returns:
        The words without the colon, in order.
    """
    if ":" not in text:
        return ()
    _, _, unknown = _patterns()
    places = {match.span("name" if match["name"] else "inline") for match in unknown.finditer(text)}
    places |= {match.span("name") for match in (_BEHIND.match(text, end) for _, end, _ in headings) if match}
    known = {character for start, end, _ in headings for character in (start, end - 1)}
    return tuple(
        text[start:end].strip()
        for start, end in sorted(places)
        if not _SENTENCE_LIKE.match(text, start) and not known & {start, end - 1, end}
    )
