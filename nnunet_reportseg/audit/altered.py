"""What a condition makes of a case: another report, and the target of that report where it is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.case_reports import CaseReport
from text_conditioning.reports import Sentence, read_sentence


@dataclass(frozen=True)
class Target:
    """What a report asks for, in terms of the case's own files.

    Attributes:
        removed: values that the report no longer describes; they leave the case's label.
        lesion: where given, the target is this lesion of the lesion map instead, or nothing where it is 0.
    """

    removed: frozenset[int] = frozenset()
    lesion: int | None = None


ORIGINAL = Target()


@dataclass(frozen=True)
class Altered:
    """A report to predict a case with.

    Attributes:
        report: the sentences.
        target: what this report asks for; None where nobody knows.
        described: the one finding that it describes, where the image is known to have several: a value of the lesion
            map, or else the number of a finding group of the case.
        blank: whether the image is zeroed after normalisation.
    """

    report: CaseReport
    target: Target | None
    described: int | None = None
    blank: bool = False


@dataclass(frozen=True)
class NotApplicable:
    """A condition that cannot be made for a case, and why; counted and reported."""

    reason: str


def rewritten(sentence: Sentence, text: str) -> Sentence:
    """The sentence with another text; what it says is read anew."""
    return replace(read_sentence(text, sentence.section), start=sentence.start, end=sentence.end)


def with_sentences(case: AuditCase, sentences: tuple[Sentence, ...]) -> CaseReport:
    """A report of the case with other sentences; links to findings are dropped, prediction does not use them."""
    return CaseReport(case.case_id, sentences)


def own_description(case: AuditCase) -> int | None:
    """The finding that the case's own report describes, where the image is known to have others."""
    return case.lesions.described if case.lesions is not None and len(case.lesions.lesions) > 1 else None
