"""The reports of training batches: the sentences that each sample is seen with, and what they are told from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.report_tensors import SentenceVectors, report_tensors
from nnunet_reportseg.training.invented_fillers import InventedFillers
from nnunet_reportseg.training.paired_mirroring import MIRRORED
from nnunet_reportseg.training.sampled_reports import ReportSampling, negatives_of, sampled_report
from nnunet_reportseg.training.sub_reports import KEPT, WITHOUT_REPORT
from nnunet_reportseg.training_reports import TrainingReports
from text_conditioning.memory import ReportTensors

NEGATIVES = 16  # sentences that a finding is told from in the alignment loss, besides those of the batch


class Decision(TypedDict):
    """What an augmentation worker decided for a sample: see sampled_report."""

    kept: Sequence[bool]
    without_report: bool
    mirrored: bool


class BatchReports:
    """Samples and collates reports.

    Args:
        reports: of all cases.
        conditioning: of the model.
        training: the cases that are trained on; sentences of others stay out of the training.
        compiled: whether the network is.

    Attributes:
        finding_words: words of each finding with voxels, of the cases that are trained on.
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
        self._varying: SentenceVectors = reports.bank
        if fillers and recipe.invented_fillers > 0:
            texts = [sentence.text for sentence in fillers]
            self._varying = InventedFillers(reports.bank, texts, recipe.invented_fillers)
        self.finding_words = tuple(f.words for case in training for f in reports.cases[case].findings if f.words)

    def sample(self, batch: Mapping[str, Any], *, vary: bool) -> list[CaseReport]:
        """The report of each sample, as the augmentation workers decided; ``vary`` lets sentences come and go."""
        sampling = self.sampling(vary=vary)
        return [sampled_report(report, **decision, sampling=sampling) for report, decision in self.decided(batch)]

    def decided(self, batch: Mapping[str, Any]) -> Iterator[tuple[CaseReport, Decision]]:
        """The whole report of each sample, and what the augmentation workers decided."""
        decisions = zip(batch["keys"], batch[KEPT], batch[WITHOUT_REPORT], batch[MIRRORED], strict=True)
        for case, kept, without_report, mirrored in decisions:
            yield self._reports.cases[case], {"kept": kept, "without_report": without_report, "mirrored": mirrored}

    def sampling(self, *, vary: bool) -> ReportSampling:
        """How reports vary: as the recipe says, or not at all."""
        return self._sampling if vary else ReportSampling()

    def tensors(self, reports: Sequence[CaseReport], *, vary: bool) -> ReportTensors:
        """Collate the reports of a batch; ``vary`` lets invented sentences take the place of some."""
        return report_tensors(reports, self._varying if vary else self._reports.bank, length=self._length)

    def negatives(self, reports: Sequence[CaseReport]) -> ReportTensors:
        """Sentences that belong to no finding of their sample, for the alignment loss."""
        chosen = np.random.permutation(len(self._finding_sentences))[:NEGATIVES]
        sentences = [self._finding_sentences[i] for i in chosen]
        rows = [negatives_of(report, sentences, NEGATIVES) for report in reports]
        return report_tensors(rows, self._reports.bank, length=NEGATIVES)
