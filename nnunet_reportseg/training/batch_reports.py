"""The reports of training batches: the sentences that each sample is seen with, and what they are told from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.report_tensors import report_tensors
from nnunet_reportseg.training.paired_mirroring import MIRRORED
from nnunet_reportseg.training.sampled_reports import ReportSampling, negatives_of, sampled_report
from nnunet_reportseg.training.sub_reports import KEPT, WITHOUT_REPORT
from nnunet_reportseg.training_reports import TrainingReports
from text_conditioning.memory import ReportTensors

NEGATIVES = 16  # sentences that a finding is told from in the alignment loss, besides those of the batch


class BatchReports:
    """Samples and collates reports.

    Args:
        reports: of all cases.
        conditioning: of the model.
        training: the cases that are trained on; sentences of others stay out of the training.
        compiled: whether the network is.
    """

    def __init__(
        self, reports: TrainingReports, conditioning: ReportConditioning, training: Sequence[str], *, compiled: bool
    ) -> None:
        self._reports = reports
        self._length = conditioning.padded_to(compiled=compiled)
        self._finding_sentences = reports.finding_sentences(training)
        recipe = conditioning.recipe
        fillers = tuple(reports.filler_sentences(training))
        self._sampling = ReportSampling(recipe.sentence_dropout, recipe.distractors, recipe.denial, fillers)

    def sample(self, batch: Mapping[str, Any], *, vary: bool) -> list[CaseReport]:
        """The report of each sample, as the augmentation workers decided; ``vary`` lets sentences come and go."""
        sampling = self._sampling if vary else ReportSampling()
        decisions = zip(batch["keys"], batch[KEPT], batch[WITHOUT_REPORT], batch[MIRRORED], strict=True)
        return [
            sampled_report(
                self._reports.cases[case], kept=kept, without_report=without, mirrored=mirrored, sampling=sampling
            )
            for case, kept, without, mirrored in decisions
        ]

    def tensors(self, reports: Sequence[CaseReport]) -> ReportTensors:
        """Collate the reports of a batch."""
        return report_tensors(reports, self._reports.bank, length=self._length)

    def negatives(self, reports: Sequence[CaseReport]) -> ReportTensors:
        """Sentences that belong to no finding of their sample, for the alignment loss."""
        chosen = np.random.permutation(len(self._finding_sentences))[:NEGATIVES]
        sentences = [self._finding_sentences[i] for i in chosen]
        rows = [negatives_of(report, sentences, NEGATIVES) for report in reports]
        return report_tensors(rows, self._reports.bank, length=NEGATIVES)
