"""Report text to sections and sentences, each with its place in the text and what can be read off it.

Sentences are encoded one by one, so none may get lost: the spans of `Report.sentences` and `Report.markup` (headings,
list markers) together with white space cover the text exactly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from text_conditioning.assertion import Assertion, classify, rules_for
from text_conditioning.clauses import split_clauses
from text_conditioning.errors import ReportTextError
from text_conditioning.headings import Section as Section
from text_conditioning.headings import find_headings, find_unknown_headings, section_in_front
from text_conditioning.laterality import Laterality, tag
from text_conditioning.levels import Level, read_level
from text_conditioning.prior_sizes import read_sizes
from text_conditioning.ranks import Rank, read_rank
from text_conditioning.report_text import require_readable
from text_conditioning.sentences import split_sentences
from text_conditioning.sizes import read_sizes_mm

ENGLISH = "en"
# "In the left lung, no mass but a nodule is seen.": the opening places all clauses
_OPENING_PLACE = re.compile(r"(?:in|within|at|on|of|throughout)\s", re.IGNORECASE)

_REMEMBERED = 4096  # texts of sentences; more than half of the sentences of real reports occur again

# Part of every bank's fingerprint. Raise it whenever the same text would give other sentences.
TEXT_PROCESSING_VERSION: int = 3


@dataclass(frozen=True)
class Sentence:
    """One sentence of a report, or one clause of it.

    Attributes:
        text: The sentence as written, without heading and list marker.
        start: First character in the report.
        end: One past the last character, `report.text[start:end] == text`.
        section: Section it stands in.
        assertion: Whether its finding is present, absent, uncertain or historical.
        laterality: The side it names.
        sizes_mm: Lengths it states, in mm, in order of appearance; those of earlier examinations are left out.
        prior_sizes_mm: Lengths of earlier examinations, in mm.
        level: How high in the lung or in an organ it places its finding.
        rank: Whether it speaks of the larger or of the smaller of several findings.
        clauses: Its parts, where they differ in state; empty where the sentence is not split.
    """

    text: str
    start: int
    end: int
    section: Section
    assertion: Assertion
    laterality: Laterality
    sizes_mm: tuple[float, ...]
    prior_sizes_mm: tuple[float, ...] = ()
    level: Level = Level.NONE
    rank: Rank = Rank.NONE
    clauses: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class Report:
    """A report that has been read.

    Attributes:
        text: The text as given.
        sentences: Sentences in order, at least one.
        markup: Spans (start, end) of headings and list markers, in order.
        unknown_headings: Words that look like headings and are none that is known; they are part of the sentences.
        language: Language the report was read in.
        language_known: Whether there are rules for the language; if not, sentences carry no tags that were read.
    """

    text: str
    sentences: tuple[Sentence, ...]
    markup: tuple[tuple[int, int], ...]
    unknown_headings: tuple[str, ...] = ()
    language: str = "en"
    language_known: bool = True

    @property
    def statements(self) -> tuple[Sentence, ...]:
        """What is encoded, in order: the clauses of sentences that are split, and the other sentences."""
        return tuple(part for sentence in self.sentences for part in sentence.clauses or (sentence,))


def read_sentence(text: str, section: Section, start: int = 0, *, language: str = "en") -> Sentence:
    """Read what one sentence says.

    Args:
        text: The sentence.
        section: Section it stands in.
        start: Where it begins in the report.
        language: Language it is written in; without rules for it nothing is read but sizes.

    Returns:
        The sentence, not split into clauses. Sides, levels, ranks and earlier sizes are read in English alone.
    """
    said = _read_words(text, language)
    return Sentence(
        text,
        start,
        start + len(text),
        section,
        said.assertion,
        said.laterality,
        said.sizes_mm,
        said.prior_sizes_mm,
        said.level,
        said.rank,
    )


@dataclass(frozen=True)
class _Said:
    """What words say, wherever they stand in a report."""

    assertion: Assertion
    laterality: Laterality = Laterality.NONE
    sizes_mm: tuple[float, ...] = ()
    prior_sizes_mm: tuple[float, ...] = ()
    level: Level = Level.NONE
    rank: Rank = Rank.NONE


@lru_cache(maxsize=_REMEMBERED)
def _read_words(text: str, language: str) -> _Said:
    rules = rules_for(language)
    state = classify(text, rules=rules)
    if rules.language != ENGLISH:
        return _Said(state, sizes_mm=read_sizes_mm(text))
    sizes = read_sizes(text)
    return _Said(state, tag(text), sizes.current, sizes.prior, read_level(text), read_rank(text))


@lru_cache(maxsize=_REMEMBERED)
def _clauses_of(text: str, language: str) -> tuple[tuple[int, int], ...]:
    return split_clauses(text, rules=rules_for(language))


def with_clauses(sentence: Sentence, spans: Sequence[tuple[int, int]], *, language: str = "en") -> Sentence:
    """Split a sentence into clauses, each of which is read on its own.

    Args:
        sentence: The sentence.
        spans: Start and end of the clauses in the sentence's text; one alone leaves the sentence whole.
        language: Language it is written in.

    Returns:
        The sentence with clauses, whose places are those in the report. Where the sentence opens with a place ("In the
        left lung, ..."), clauses without a side or level take those of the first.
    """
    if len(spans) < 2:
        return replace(sentence, clauses=()) if sentence.clauses else sentence
    clauses = [
        read_sentence(sentence.text[first:last], sentence.section, sentence.start + first, language=language)
        for first, last in spans
    ]
    if _OPENING_PLACE.match(sentence.text):
        side, level = clauses[0].laterality, clauses[0].level
        clauses = [replace(c, laterality=c.laterality or side, level=c.level or level) for c in clauses]
    return replace(sentence, clauses=tuple(clauses))


def parse_report(text: str, language: str = "en") -> Report:
    """Split a report into sentences and read what each one says.

    A report without headings is all findings. Text before the first heading is OTHER, or findings where the first
    heading is that of the impression and no other names the findings.

    Args:
        text: The report.
        language: Language it is written in, as a code such as "en". In a language without rules the sentences are split
            and stay PRESENT, without side, level and rank.

    Returns:
        The report with its sentences.

    Raises:
        ReportTextError: If the text has no letters, or nothing but headings, or is no plain text (binary, HTML, RTF).
    """
    require_readable(text)
    headings = find_headings(text)
    blocks: list[tuple[int, int, Section]] = []
    position, section = 0, section_in_front(headings)
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
            sentence = read_sentence(text[start:end], block_section, start, language=language)
            sentences.append(with_clauses(sentence, _clauses_of(sentence.text, language), language=language))
    if not sentences:
        raise ReportTextError.about(
            f"The report {text[:40]!r} holds headings only", fix="give its text, or declare the report as null"
        )
    unknown = find_unknown_headings(text, headings)
    return Report(text, tuple(sentences), tuple(sorted(markup)), unknown, language, rules_for(language).known)
