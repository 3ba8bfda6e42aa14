"""Report text to sections and sentences, each with its place in the text and what can be read off it.

Sentences are encoded one by one, so none may get lost: the spans of `Report.sentences` and `Report.markup` (headings,
list markers) together with white space cover the text exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from text_conditioning.assertion import Assertion, classify
from text_conditioning.errors import ReportTextError
from text_conditioning.laterality import Laterality, tag
from text_conditioning.sentences import split_sentences
from text_conditioning.sizes import read_sizes_mm

# Part of every bank's fingerprint. Raise it whenever the same text would give other sentences.
TEXT_PROCESSING_VERSION: int = 1


class Section(IntEnum):
    """Part of a report. The values index an embedding table: do not renumber."""

    OTHER = 0
    FINDINGS = 1
    IMPRESSION = 2
    TECHNIQUE = 3
    CLINICAL = 4
    COMPARISON = 5


@dataclass(frozen=True)
class Sentence:
    """One sentence of a report.

    Attributes:
        text: The sentence as written, without heading and list marker.
        start: First character in the report.
        end: One past the last character, `report.text[start:end] == text`.
        section: Section it stands in.
        assertion: Whether its finding is present, absent, uncertain or historical.
        laterality: The side it names.
        sizes_mm: Lengths it states, in mm, in order of appearance.
    """

    text: str
    start: int
    end: int
    section: Section
    assertion: Assertion
    laterality: Laterality
    sizes_mm: tuple[float, ...]


@dataclass(frozen=True)
class Report:
    """A report that has been read.

    Attributes:
        text: The text as given.
        sentences: Sentences in order, at least one.
        markup: Spans (start, end) of headings and list markers, in order.
    """

    text: str
    sentences: tuple[Sentence, ...]
    markup: tuple[tuple[int, int], ...]


_HEADINGS: dict[Section, str] = {
    Section.FINDINGS: r"findings?(?:\s+and\s+comments?)?|results?|observations?",
    Section.IMPRESSION: r"impressions?|conclusions?|opinion|assessment|summary|findings?\s+(?:and|/)\s+impressions?",
    Section.TECHNIQUE: r"techniques?|procedure|protocol|imaging\s+technique|examination\s+technique",
    Section.CLINICAL: (
        r"clinical\s+(?:history|information|indications?|data|details|question|statement|findings)|clinical|indications?|"
        r"(?:patient\s+|medical\s+)?history|reason\s+for\s+(?:the\s+)?(?:exam(?:ination)?|study|this\s+examination)"
    ),
    Section.COMPARISON: r"comparisons?(?:\s+(?:studies|study|exams?))?|prior\s+studies|compared\s+(?:with|to)(?=\s*:)",
    Section.OTHER: (
        r"exam(?:ination)?s?|study|recommendations?|addendum|notes?|final\s+report|report|signed(?:\s+by)?|"
        r"electronically\s+signed(?:\s+by)?"
    ),
}
_NAMES = "|".join(f"(?P<{section.name}>{names})" for section, names in _HEADINGS.items())
_LINE_START = r"(?:^|(?<=[\n\r]))[ \t]*(?:[#>*_=-]+[ \t]*)?"
# "Findings:" at the start of a line or after the end of a sentence, or a line that holds nothing but the name.
_HEADING = re.compile(
    rf"(?:{_LINE_START}|(?<=[.!?;:])\s+)(?:{_NAMES})[ \t]*(?:[*_]+[ \t]*)?"
    r"(?::[ \t]*(?:[*_]+)?|[ \t]+[-\u2013\u2014](?=[ \t])|(?=[ \t]*(?:[*_=]+[ \t]*)?(?:[\r\n]|$)))",
    re.IGNORECASE,
)


# "... fever TECHNIQUE: ..." in reports that were joined into one line: capitals and a colon are required there.
_INLINE_HEADING = re.compile(rf"(?<=\s)(?:{_NAMES})[ \t]*:", re.IGNORECASE)


def _find_headings(text: str) -> list[tuple[int, int, Section]]:
    matches = [*_HEADING.finditer(text), *(m for m in _INLINE_HEADING.finditer(text) if m.group().isupper())]
    found: list[tuple[int, int, Section]] = []
    for match in sorted(matches, key=lambda m: m.end()):
        start = match.start() + len(match.group()) - len(match.group().lstrip())
        end = match.start() + len(match.group().rstrip())
        if match.lastgroup is not None and (not found or start >= found[-1][1]):
            found.append((start, end, Section[match.lastgroup]))
    return found


def parse_report(text: str) -> Report:
    """Split a report into sentences and read what each one says.

    A report without headings is all findings. Text before the first heading is OTHER.

    Args:
        text: The report.

    Returns:
        The report with its sentences.

    Raises:
        ReportTextError: If the text has no letters, or nothing but headings.
    """
    if not any(character.isalpha() for character in text):
        raise ReportTextError(
            f"The report {text[:40]!r} holds no words. Give its text, or declare the report as null if there is none."
        )
    headings = _find_headings(text)
    blocks: list[tuple[int, int, Section]] = []
    position, section = 0, Section.OTHER if headings else Section.FINDINGS
    for start, end, next_section in headings:
        blocks.append((position, start, section))
        position, section = end, next_section
    blocks.append((position, len(text), section))

    markup = [(start, end) for start, end, _ in headings]
    sentences: list[Sentence] = []
    for block_start, block_end, block_section in blocks:
        spans, markers = split_sentences(text, block_start, block_end)
        markup += markers
        for start, end in spans:
            words = text[start:end]
            sentences.append(
                Sentence(words, start, end, block_section, classify(words), tag(words), read_sizes_mm(words))
            )
    if not sentences:
        raise ReportTextError(
            f"The report {text[:40]!r} holds headings only. Give its text, or declare the report as null."
        )
    return Report(text, tuple(sentences), tuple(sorted(markup)))
