"""The sentences of a report that decide what is segmented."""

from __future__ import annotations

import re

from nnunet_reportseg.case_reports import CaseReport
from text_conditioning.assertion import Assertion
from text_conditioning.reports import Section

NONE_DECIDES = "no sentence says that something is there"
_ABOUT_THE_PATIENT = (Section.TECHNIQUE, Section.CLINICAL, Section.COMPARISON)
_NORMAL = re.compile(
    r"\b(?:normal(?:ly)?|unremarkable|clear|patent|intact|preserved|midline|symmetric(?:al)?|not enlarged|dry|"
    r"within normal limits)\b",
    re.IGNORECASE,
)


_BUT = re.compile(r"\b(?:apart from|aside from|except|other than|but|however|besides)\b", re.IGNORECASE)


def deciding_sentences(report: CaseReport) -> tuple[int, ...]:
    """Indices of the deciding sentences.

    Those of findings with label values. Without such findings, those that say that something is there: not technique,
    history or comparison, and nothing that is merely normal.
    """
    if report.findings:
        return tuple(sorted({index for finding in report.findings for index in finding.sentences}))
    return tuple(
        index
        for index, sentence in enumerate(report.sentences)
        if sentence.assertion is Assertion.PRESENT
        and sentence.section not in _ABOUT_THE_PATIENT
        and (not _NORMAL.search(sentence.text) or _BUT.search(sentence.text))
    )
