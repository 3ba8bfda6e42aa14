"""The report of a case as the network will see it: sentences, and which of them belong to which finding.

A finding of the sidecar is linked to the sentences of the report that contain its text or that its text contains; a
finding whose text is not in the report brings its own sentences along. Only linked findings with label values can be
left out in sub-report training.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nnunet_reportseg.errors import SidecarError
from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.assertion import Assertion
from text_conditioning.errors import ReportTextError
from text_conditioning.reports import Report, Sentence, parse_report

_NOT_THERE = (Assertion.ABSENT, Assertion.HISTORICAL)
FEWEST_WORDS = 3  # a sentence shorter than this is no part of a finding: "Nodule." is in all of them


@dataclass(frozen=True)
class CaseFinding:
    """A finding with voxels.

    Attributes:
        finding_id: id from the sidecar.
        label_values: voxel values in labelsTr that belong to the finding.
        sentences: indices of its sentences in :attr:`CaseReport.read`.
        words: its own text, split like a report; what is asked for in grounding.
        exhaustive: whether all its instances are labelled.
    """

    finding_id: str
    label_values: tuple[int, ...]
    sentences: tuple[int, ...]
    words: tuple[Sentence, ...] = ()
    exhaustive: bool = True


@dataclass(frozen=True)
class CaseReport:
    """Sentences and findings of one case; no sentences for a missing report.

    Attributes:
        case_id: of the case.
        sentences: of the report.
        findings: those that have voxels.
        asked: words that are asked for, in grounding; the sentences are then their context.
        brought: how many of the last sentences are no part of the report, but words that its findings brought along.
    """

    case_id: str
    sentences: tuple[Sentence, ...] = ()
    findings: tuple[CaseFinding, ...] = ()
    asked: tuple[Sentence, ...] = ()
    brought: int = 0

    @property
    def read(self) -> tuple[Sentence, ...]:
        """All that the network reads: sentences, then what is asked for."""
        return self.sentences + self.asked

    def asking(self, words: Sequence[Sentence]) -> CaseReport:
        """The report as the context of words that are asked for; it lists no findings."""
        return replace(self.as_written(), findings=(), asked=tuple(words))

    def as_written(self) -> CaseReport:
        """The report without words that its findings brought along, which would answer what is asked for."""
        return self.only(range(len(self.sentences) - self.brought))

    def finding_groups(self) -> tuple[int, ...]:
        """For each finding a number that it shares with the findings it shares sentences with, over others too."""
        groups = list(range(len(self.findings)))
        for i, finding in enumerate(self.findings):
            for j in range(i):
                if groups[i] != groups[j] and set(finding.sentences) & set(self.findings[j].sentences):
                    old, new = groups[i], groups[j]
                    groups = [new if group == old else group for group in groups]
        return tuple(groups)

    def part(self, kept: Sequence[bool]) -> CaseReport:
        """The report without the sentences of some findings.

        Args:
            kept: for each finding whether it stays. A sentence that it shares with one that stays, stays.

        Returns:
            The rest of the report; a finding that was left out is still listed, without sentences.
        """
        findings = tuple(
            finding if keep else replace(finding, sentences=())
            for finding, keep in zip(self.findings, kept, strict=True)
        )
        return replace(self, findings=findings).only(sorted(self.part_indices(kept)))

    def part_indices(self, kept: Sequence[bool]) -> frozenset[int]:
        """Indices of the sentences of :meth:`part`."""
        pairs = list(zip(self.findings, kept, strict=True))
        dropped = {i for finding, keep in pairs if not keep for i in finding.sentences}
        wanted = {i for finding, keep in pairs if keep for i in finding.sentences}
        return frozenset(i for i in range(len(self.sentences)) if i not in dropped or i in wanted)

    def only(self, chosen: Sequence[int]) -> CaseReport:
        """The report with some of its sentences; findings keep those of theirs that are among them."""
        place = {index: position for position, index in enumerate(chosen)}
        findings = tuple(
            replace(finding, sentences=tuple(place[i] for i in finding.sentences if i in place))
            for finding in self.findings
        )
        return replace(self, sentences=tuple(self.sentences[i] for i in chosen), findings=findings, brought=0)

    @property
    def linked(self) -> frozenset[int]:
        """Indices of the sentences that belong to findings."""
        return frozenset(i for finding in self.findings for i in finding.sentences)


def read_case_report(sidecar: Sidecar, case_id: str) -> CaseReport:
    """Read and split the report of a case.

    Raises:
        SidecarError: the case is not in the sidecar, or its text cannot be read or holds no sentence.
    """
    text = sidecar.report_text(case_id)
    if text is None:
        return CaseReport(case_id)
    sentences = list(parse_case_text(text, sidecar, case_id).statements)
    written = len(sentences)
    findings = []
    for finding in sidecar.findings(case_id):
        own = parse_case_text(finding.text, sidecar, case_id).statements
        linked = _linked(sentences, finding.text)
        if not linked:
            linked = list(range(len(sentences), len(sentences) + len(own)))
            sentences.extend(own)
        if finding.label_values:
            findings.append(CaseFinding(finding.id, finding.label_values, tuple(linked), own, finding.exhaustive))
    return CaseReport(case_id, tuple(sentences), tuple(findings), brought=len(sentences) - written)


def read_case_reports(sidecar: Sidecar, case_ids: list[str]) -> Mapping[str, CaseReport]:
    """Reports of several cases; see :func:`read_case_report`."""
    return {case_id: read_case_report(sidecar, case_id) for case_id in case_ids}


def parse_case_text(text: str, sidecar: Sidecar, case_id: str, *, language: str = "en") -> Report:
    """Split a text of a case into sentences.

    Raises:
        SidecarError: the text holds no sentence, or is no plain text.
    """
    try:
        return parse_report(text, language)
    except ReportTextError as error:
        raise SidecarError.about(
            f"the text cannot be split into sentences ({error.problem})",
            case=case_id,
            file=sidecar.path,
            value=text[:40],
            fix='write its text, or "report": null where there is none',
        ) from error


def _linked(sentences: Sequence[Sentence], finding: str) -> list[int]:
    """Statements of a finding: its words; else those that contain it, or else its longer parts, denials left out."""
    wanted = _normalise(finding)
    words = [_normalise(sentence.text) for sentence in sentences]
    exact = [i for i, text in enumerate(words) if text == wanted]
    holding = [i for i, text in enumerate(words) if wanted in text and sentences[i].assertion not in _NOT_THERE]
    parts = [i for i, text in enumerate(words) if text in wanted and len(text.split()) >= FEWEST_WORDS]
    # of a finding whose sentence was split, the clauses that say what is there
    stated = [i for i in parts if sentences[i].assertion not in _NOT_THERE]
    return exact or holding or stated or parts


def _normalise(text: str) -> str:
    words = re.sub(r"\W+", " ", text).strip().casefold()
    return f" {words} "
