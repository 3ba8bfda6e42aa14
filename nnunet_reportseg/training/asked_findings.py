"""What a sample of grounding asks for: one finding of its case, or one that is not there.

The words of the finding are asked for, and its report is the context (text_conditioning.memory). Words for what is
not there come from denials in the report, from the case's own findings about the other side, and from findings of
other cases; what the report could mean by its own statements is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.report_twins import mirrored_report, mirrored_sentence
from nnunet_reportseg.told_apart import told_apart
from nnunet_reportseg.training.sampled_reports import ReportSampling
from text_conditioning.assertion import Assertion
from text_conditioning.reports import Sentence

Words = tuple[Sentence, ...]

TRIES = 20  # findings of other cases that are looked at for one that is not there


@dataclass(frozen=True)
class AbsentFindings:
    """Words that ask for what a case does not have.

    Attributes:
        others: words of the findings of all training cases.
    """

    others: tuple[Words, ...]

    def choose(self, report: CaseReport) -> Words:
        """Words for something that a case does not have; empty where none is known.

        One of the three sources is drawn, each with the same probability, among those that have something to offer.
        """
        sources = (self._denied, self._of_other_side, self._of_other_case)
        for number in np.random.permutation(len(sources)):
            found = next(sources[number](report), None)
            if found is not None:
                return found
        return ()

    def _denied(self, report: CaseReport) -> Iterator[Words]:
        denied = [sentence for sentence in report.sentences if sentence.assertion is Assertion.ABSENT]
        for index in np.random.permutation(len(denied)):
            yield (denied[index],)

    def _of_other_side(self, report: CaseReport) -> Iterator[Words]:
        for index in np.random.permutation(len(report.findings)):
            words = report.findings[index].words
            twins = [mirrored_sentence(word) for word in words]
            found = tuple(twin for twin in twins if twin is not None)
            if len(found) == len(words) and found != words and not may_mean(report, found):
                yield found

    def _of_other_case(self, report: CaseReport) -> Iterator[Words]:
        for index in np.random.permutation(len(self.others))[:TRIES]:
            words = self.others[index]
            if not may_mean(report, words):
                yield words


def may_mean(report: CaseReport, words: Words) -> bool:
    """Whether a report, or a finding of its case, could mean by one of its statements what the words ask for."""
    stated = [s for s in report.sentences if s.assertion is not Assertion.ABSENT]
    stated += [word for finding in report.findings for word in finding.words]
    return any(not told_apart(word, statement) for word in words for statement in stated)


def asked_report(
    report: CaseReport,
    *,
    kept: Sequence[bool],
    without_report: bool,
    mirrored: bool,
    sampling: ReportSampling,
    absent: AbsentFindings,
) -> CaseReport:
    """What a sample asks for, with its context.

    Args:
        report: of the case.
        kept: True for the finding that is asked for; no True asks for something that is not there.
        without_report: whether the words stand alone, without context.
        mirrored: whether the patient is mirrored; only for reports that have a mirror image.
        sampling: how the context varies.
        absent: where words for something that is not there come from.

    Returns:
        The report with ``asked``; all findings of the case are listed, those that are not asked for without sentences.
    """
    words = report.findings[list(kept).index(True)].words if any(kept) else absent.choose(report)
    context = replace(report, sentences=()) if without_report else sampling.vary(report.as_written())
    start = len(context.sentences)
    findings = tuple(
        replace(finding, sentences=tuple(range(start, start + len(words))) if keep else ())
        for finding, keep in zip(report.findings, kept, strict=True)
    )
    asked = replace(context, findings=findings, asked=words)
    if not mirrored:
        return asked
    # words without mirror image, which only something that is not there can have, are not asked for
    return mirrored_report(asked) or mirrored_report(replace(asked, asked=())) or asked
