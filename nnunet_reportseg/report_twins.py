"""The report of the mirrored patient: every sentence with left and right exchanged.

nnU-Net mirrors images; a report that says "left" is then wrong, unless it is mirrored too. A report with a sentence
whose exchange would be anatomically false ("lingula") has no mirror image, and its images are not mirrored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.report_tensors import SentenceVectors, report_tensors
from text_conditioning.laterality import Laterality
from text_conditioning.laterality_swap import swap_laterality
from text_conditioning.memory import ReportTensors
from text_conditioning.reports import Sentence

_OTHER_SIDE = {Laterality.LEFT: Laterality.RIGHT, Laterality.RIGHT: Laterality.LEFT}


def mirrored_report(report: CaseReport) -> CaseReport | None:
    """The report about the mirrored patient; None where a sentence has no mirror image."""
    sentences = []
    for sentence in report.sentences:
        twin = mirrored_sentence(sentence)
        if twin is None:
            return None
        sentences.append(twin)
    return replace(report, sentences=tuple(sentences))


def with_mirrored(reports: Iterable[CaseReport]) -> list[CaseReport]:
    """The reports, and all their sentences that can be mirrored, whether or not the whole report can."""
    reports = list(reports)
    twins = [[mirrored_sentence(sentence) for sentence in report.sentences] for report in reports]
    mirrored = [
        CaseReport(report.case_id, tuple(twin for twin in found if twin is not None))
        for report, found in zip(reports, twins, strict=True)
    ]
    return reports + mirrored


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
    if text is None:
        return None
    return replace(sentence, text=text, laterality=_OTHER_SIDE.get(sentence.laterality, sentence.laterality))
