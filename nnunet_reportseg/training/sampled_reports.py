"""The report that a training sample is seen with, and what its attention is supervised with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.report_twins import mirrored_report
from nnunet_reportseg.training.report_loss import AttentionTarget
from text_conditioning.attention_supervision import finding_masks


def sampled_report(report: CaseReport, *, kept: Sequence[bool], without_report: bool, mirrored: bool) -> CaseReport:
    """What is left of a case's report in a sample.

    Args:
        report: of the case.
        kept: for each finding whether it stays.
        without_report: whether the report is dropped.
        mirrored: whether the patient is mirrored; only for reports that have a mirror image.

    Returns:
        The report; all findings of the case are still listed, those that were left out without sentences.
    """
    if without_report:
        return CaseReport(report.case_id, (), tuple(replace(finding, sentences=()) for finding in report.findings))
    part = report.part(kept)
    return (mirrored_report(part) or part) if mirrored else part


def attention_target(label_map: Tensor, reports: Sequence[CaseReport], length: int) -> AttentionTarget:
    """Finding masks of a batch, and the sentences that belong to each finding.

    Args:
        label_map: ``(B, 1, *patch)`` label values before any finding was removed.
        reports: of the samples, as they are read.
        length: number of sentences that the reports are padded to.
    """
    masks = finding_masks(label_map, [[finding.label_values for finding in report.findings] for report in reports])
    linked = torch.zeros((len(reports), masks.shape[1], length), dtype=torch.bool)
    for row, report in enumerate(reports):
        for number, finding in enumerate(report.findings):
            linked[row, number, list(finding.sentences)] = True
    return AttentionTarget(masks, linked.to(label_map.device))
