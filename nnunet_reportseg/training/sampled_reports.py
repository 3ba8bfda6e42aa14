"""The report that a training sample is seen with, and what its reading is supervised with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.report_twins import denied_sentence, mirrored_report, mirrored_sentence
from nnunet_reportseg.training.report_loss import ReadingTarget
from text_conditioning.attention_supervision import finding_masks
from text_conditioning.reports import Sentence

MOST_DISTRACTORS = 64  # about 600 tokens: what a long report has besides its findings


@dataclass(frozen=True)
class ReportSampling:
    """How reports vary from sample to sample, besides what the augmentation workers decide.

    Attributes:
        sentence_dropout: probability of leaving out a sentence that belongs to no finding.
        distractors: probability of adding sentences of other cases that belong to no finding and name no side.
        denial: probability of denying a finding that was left out, instead of passing over it in silence.
        fillers: those sentences.
        most: as many are added at most; few and many alike (the logarithm of their number is uniform).
    """

    sentence_dropout: float = 0.0
    distractors: float = 0.0
    denial: float = 0.0
    fillers: tuple[Sentence, ...] = ()
    most: int = MOST_DISTRACTORS

    def denials(self, report: CaseReport, kept: Sequence[bool]) -> tuple[Sentence, ...]:
        """Denials of findings that are left out of a report, for some of them."""
        left_out = report.linked - report.part_indices(kept)
        found = []
        for index in sorted(left_out):
            if np.random.random() < self.denial:
                found.append(denied_sentence(report.sentences[index]))
        return tuple(sentence for sentence in found if sentence is not None and mirrored_sentence(sentence) is not None)

    def vary(self, report: CaseReport) -> CaseReport:
        """Leave out and add sentences that decide nothing."""
        if self.sentence_dropout > 0:
            linked = report.linked
            stays = np.random.random(len(report.sentences)) >= self.sentence_dropout
            report = report.only([i for i in range(len(report.sentences)) if i in linked or stays[i]])
        if self.fillers and np.random.random() < self.distractors:
            count = int(np.exp(np.random.uniform(0, np.log(self.most + 1))))
            chosen = np.random.permutation(len(self.fillers))[:count]
            own = {sentence.text for sentence in report.sentences}
            added = tuple(self.fillers[i] for i in chosen if self.fillers[i].text not in own)
            report = replace(report, sentences=report.sentences + added)
        return report


def sampled_report(
    report: CaseReport, *, kept: Sequence[bool], without_report: bool, mirrored: bool, sampling: ReportSampling
) -> CaseReport:
    """What a sample is seen with of its case's report.

    Args:
        report: of the case.
        kept: for each finding whether it stays.
        without_report: whether the report is dropped.
        mirrored: whether the patient is mirrored; only for reports that have a mirror image.
        sampling: how the rest varies.

    Returns:
        The report; all findings of the case are still listed, those that were left out without sentences.
    """
    if without_report:
        return CaseReport(report.case_id, (), tuple(replace(finding, sentences=()) for finding in report.findings))
    part = report.part(kept)
    part = replace(part, sentences=part.sentences + sampling.denials(report, kept))
    return sampling.vary((mirrored_report(part) or part) if mirrored else part)


def reading_target(
    label_map: Tensor, reports: Sequence[CaseReport], length: int, stride: Sequence[int] | None = None
) -> ReadingTarget:
    """Finding masks of a batch, and the sentences that belong to each finding.

    Args:
        label_map: ``(B, 1, *patch)`` label values before any finding was removed.
        reports: of the samples, as they are read.
        length: number of sentences that the reports are padded to.
        stride: patch voxels per voxel of the finest stage that reads; 1 where None.
    """
    values = [[finding.label_values for finding in report.findings] for report in reports]
    masks = finding_masks(label_map, values, stride)
    count = masks.shape[1]
    linked = torch.zeros((len(reports), count, length), dtype=torch.bool)
    said: list[tuple[str, ...]] = [()] * (len(reports) * count)
    for row, report in enumerate(reports):
        for number, finding in enumerate(report.findings):
            linked[row, number, list(finding.sentences)] = True
            said[row * count + number] = tuple(report.read[i].text for i in finding.sentences)
    same = torch.tensor([[a == b for b in said] for a in said])
    return ReadingTarget(masks, linked.to(label_map.device), same.to(label_map.device))


def negatives_of(report: CaseReport, others: Sequence[Sentence], count: int) -> CaseReport:
    """Sentences that belong to no finding of a sample, the hard ones first.

    Args:
        report: as it is read.
        others: sentences of findings of any case, in random order.
        count: of negatives.

    Returns:
        A report that holds the negatives: the sentences of its findings about the other side and denied, and sentences
        of other findings, none of which stands in the report.
    """
    own = {sentence.text for sentence in report.sentences}
    wanted = dict.fromkeys(i for finding in report.findings for i in finding.sentences)
    twins = [
        twin
        for i in wanted
        for twin in (mirrored_sentence(report.sentences[i]), denied_sentence(report.sentences[i]))
        if twin is not None
    ]
    negatives = {sentence.text: sentence for sentence in [*twins, *others] if sentence.text not in own}
    return CaseReport(report.case_id, tuple(negatives.values())[:count])
