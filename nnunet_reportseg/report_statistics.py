"""What the reports of a dataset say, counted: sentences, tags, lengths, and what needs a look.

The counts are of statements, which is what a network is given: sentences, or the clauses of a sentence that is split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from text_conditioning.assertion import Assertion
from text_conditioning.english import looks_english
from text_conditioning.headings import Section
from text_conditioning.laterality import Laterality
from text_conditioning.laterality_swap import swap_laterality
from text_conditioning.levels import Level
from text_conditioning.ranks import Rank
from text_conditioning.reports import Report
from text_conditioning.window import TokenCounter


def count_reports(reports: Mapping[str, Report | None], *, encoder: str | None = None) -> dict[str, Any]:
    """Count what the reports of a dataset say, as plain JSON values.

    Args:
        reports: Reports by case; None where there is none.
        encoder: Text encoder whose window sentences are measured against; None measures none.

    Raises:
        EncoderError: The encoder is no name and no folder.
    """
    read = [report for report in reports.values() if report is not None]
    sentences = [sentence for report in read for sentence in report.sentences]
    statements = [statement for report in read for statement in report.statements]
    texts = [statement.text for statement in statements]
    known = all(report.language_known for report in read)
    return {
        "cases": len(reports),
        "reports": len(read),
        "without_report": [case for case, report in reports.items() if report is None],
        "language": read[0].language if read else "en",
        "language_known": known,
        "looks_english": looks_english(report.text for report in read),
        "sentences": len(sentences),
        "split_sentences": sum(bool(sentence.clauses) for sentence in sentences),
        "statements": len(statements),
        "different_statements": len(set(texts)),
        "sentences_per_report": _spread([len(report.sentences) for report in read]),
        "words_per_report": _spread([len(report.text.split()) for report in read]),
        "words_per_statement": _spread([len(text.split()) for text in texts]),
        "characters_per_statement": _spread([len(text) for text in texts]),
        "sections": _counts(Section, (sentence.section for sentence in sentences)),
        "assertions": _counts(Assertion, (s.assertion for s in statements)) if known else {"unknown": len(statements)},
        "sides": _counts(Laterality, (s.laterality for s in statements)),
        "levels": _counts(Level, (s.level for s in statements)),
        "ranks": _counts(Rank, (s.rank for s in statements)),
        "with_size": sum(bool(s.sizes_mm) for s in statements),
        "with_prior_size": sum(bool(s.prior_sizes_mm) for s in statements),
        "mirroring": _mirroring(reports),
        "encoder_window": None if encoder is None else _window(encoder, texts),
        "unknown_headings": dict(Counter(name for report in read for name in report.unknown_headings).most_common()),
    }


def _spread(values: Sequence[int]) -> dict[str, float]:
    if not values:
        return {"mean": 0.0, "min": 0, "max": 0}
    return {"mean": round(fmean(values), 2), "min": min(values), "max": max(values)}


def _counts(kinds: Any, values: Iterable[Any]) -> dict[str, int]:
    counted = Counter(values)
    return {kind.name.lower(): counted[kind] for kind in kinds}


def _mirroring(reports: Mapping[str, Report | None]) -> dict[str, int]:
    """Count sided statements, and those whose exchange of sides would be false; their cases are not mirrored."""
    refused: dict[str, bool] = {}
    sided = sided_refused = cases = 0
    for report in reports.values():
        if report is None:
            continue
        without_image = False
        for statement in report.statements:
            text = statement.text
            if text not in refused:
                refused[text] = swap_laterality(text) is None
            has_side = statement.laterality is not Laterality.NONE
            sided += has_side
            sided_refused += has_side and refused[text]
            without_image |= refused[text]
        cases += without_image
    return {"sided_statements": sided, "sided_statements_refused": sided_refused, "cases_not_mirrored": cases}


def _window(encoder: str, texts: Sequence[str]) -> dict[str, Any] | None:
    """Count statements that are longer than an encoder reads at once; None where the encoder is not here."""
    counter = TokenCounter.of(encoder)
    if counter is None:
        return None
    lengths = counter.count(dict.fromkeys(texts))
    longer = sum(length > counter.window for length in lengths)
    return {"encoder": encoder, "tokens": counter.window, "longest": max(lengths, default=0), "longer": longer}
