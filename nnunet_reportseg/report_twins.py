"""Twins of sentences: about the other side, and denied; and the report of the mirrored patient.

nnU-Net mirrors images; a report that says "left" is then wrong, unless it is mirrored too. A report with a sentence
whose exchange would be anatomically false ("lingula") has no mirror image, and its images are not mirrored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from torch import Tensor

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.errors import ReportContextError
from nnunet_reportseg.report_tensors import SentenceVectors, report_tensors
from text_conditioning.assertion import Assertion
from text_conditioning.denial import deny
from text_conditioning.laterality import Laterality
from text_conditioning.laterality_swap import swap_laterality
from text_conditioning.memory import ReportTensors
from text_conditioning.reports import Sentence

_OTHER_SIDE = {Laterality.LEFT: Laterality.RIGHT, Laterality.RIGHT: Laterality.LEFT}


def mirrored_report(report: CaseReport) -> CaseReport | None:
    """The report about the mirrored patient; None where a sentence has no mirror image."""
    twins = [mirrored_sentence(sentence) for sentence in report.read]
    sentences = tuple(twin for twin in twins if twin is not None)
    if len(sentences) < len(twins):
        return None
    count = len(report.sentences)
    return replace(report, sentences=sentences[:count], asked=sentences[count:])


def has_mirror_image(report: CaseReport) -> bool:
    """Whether a report has a mirror image, the words of its findings included."""
    words = tuple(word for finding in report.findings for word in finding.words)
    return mirrored_report(replace(report, asked=words)) is not None


def with_twins(reports: Iterable[CaseReport], *, training: bool) -> list[CaseReport]:
    """The reports, and the twins of all their sentences, whose vectors a bank has to hold.

    Args:
        reports: the reports.
        training: whether also what only a training reads: the words of findings, and the denials of sentences that
            belong to findings.
    """
    reports = list(reports)
    if training:
        reports += [CaseReport(r.case_id, tuple(w for finding in r.findings for w in finding.words)) for r in reports]
    return reports + [CaseReport(r.case_id, tuple(_twins(r, denied=training))) for r in reports]


def _twins(report: CaseReport, *, denied: bool) -> Iterator[Sentence]:
    for index, sentence in enumerate(report.read):
        denial = denied_sentence(sentence) if denied and index in report.linked else None
        twins = (denial, mirrored_sentence(sentence), denial and mirrored_sentence(denial))
        yield from (twin for twin in twins if twin is not None)


def mirrored_tensors(reports: Sequence[CaseReport], vectors: SentenceVectors, *, length: int) -> ReportTensors | None:
    """Collate the reports of the mirrored patients; a row without sentences where a report has none.

    Args:
        reports: as for report_tensors.
        vectors: of all sentences, those of the mirrored reports included.
        length: as for report_tensors.

    Returns:
        A batch, or None where no report has a mirror image.
    """
    twins = [mirrored_report(report) for report in reports]
    if not any(twins):
        return None
    return report_tensors(
        [twin or CaseReport(r.case_id) for twin, r in zip(twins, reports, strict=True)], vectors, length=length
    )


def mirrored_sentence(sentence: Sentence) -> Sentence | None:
    """The same about the other side; None where that would be anatomically false."""
    text = swap_laterality(sentence.text)
    clauses = [mirrored_sentence(clause) for clause in sentence.clauses]
    if text is None or None in clauses:
        return None
    return replace(
        sentence,
        text=text,
        laterality=_OTHER_SIDE.get(sentence.laterality, sentence.laterality),
        clauses=tuple(clause for clause in clauses if clause is not None),
    )


def denied_sentence(sentence: Sentence) -> Sentence | None:
    """The denial of a sentence; None where no rule gives one, or it is one already."""
    text = deny(sentence.text)
    if text is None or text == sentence.text:
        return None
    return replace(sentence, text=text, assertion=Assertion.ABSENT, clauses=())


def which_are_mirrored(own: ReportTensors | None, mirrored: ReportTensors | None) -> Tensor:
    """For each report whether it has a mirror image: the same sentences, or none as well."""
    if own is None or mirrored is None:
        raise ReportContextError("A tile is to be read with a mirrored report, and none is set.")
    return mirrored.padding.logical_not().any(dim=1) | own.padding.all(dim=1)
