"""The variant that attends to tokens: its trainer and its predictor expand reports last, when all else is decided.

Sentences come and go, are denied and are drawn from other cases as in the default; only then do their tokens take
their place, so that both networks are trained on the same reports. The tags of a sentence (assertion, side, level,
rank, section) are those of its tokens too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from torch import Tensor

from following.errors import BenchmarkError
from following.token_states import expand, tokens_of
from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.conditioning import PLANS_KEY, SENTENCE_STEP
from nnunet_reportseg.frames import Frame
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.network.report_guided_unet import is_compiled
from nnunet_reportseg.report_tensors import SentenceVectors
from nnunet_reportseg.training.batch_reports import BatchReports
from nnunet_reportseg.training.report_guided_trainer import ReportGuidedTrainer
from nnunet_reportseg.training.sampled_reports import MOST_DISTRACTORS
from nnunet_reportseg.training_reports import TrainingReports


class TokenBatchReports(BatchReports):
    """Samples reports, then expands them."""

    def sample(self, batch: Mapping[str, Any], *, vary: bool) -> list[CaseReport]:
        """As BatchReports, in tokens."""
        return [expand(report) for report in super().sample(batch, vary=vary)]


class ReportGuidedTrainer_TokenKeys(ReportGuidedTrainer):  # noqa: N801
    """Token states as keys and values of the cross-attention, in the place of sentence vectors."""

    _in_tokens: TrainingReports

    def initialize(self) -> None:
        """As ReportGuidedTrainer, with batches in tokens."""
        super().initialize()
        training, _ = self.do_split()
        self._batch_reports = TokenBatchReports(
            self.reports, self.conditioning, training, compiled=is_compiled(self.network)
        )

    def _prepare_reports(self) -> None:
        super()._prepare_reports()
        if self.fold != "all" or self.conditioning.aligns or self.conditioning.mirrors_patients:
            raise BenchmarkError(
                f"{type(self).__name__} trains on all cases (-f all), without alignment_weight and paired_mirroring: "
                "the audit of a fold, negatives and mirrored reports are in sentences."
            )
        cases = {case: expand(report) for case, report in self.reports.cases.items()}
        self._in_tokens = replace(self.reports, cases=cases)
        fillers = self.reports.filler_sentences(list(cases)) if self.conditioning.recipe.distractors > 0 else []
        added = sorted((len(tokens_of(sentence)) for sentence in fillers), reverse=True)[:MOST_DISTRACTORS]
        steps = -(-(self._in_tokens.longest + sum(added)) // SENTENCE_STEP)
        self.conditioning = replace(self.conditioning, sentences=max(1, steps) * SENTENCE_STEP)
        self.plans_manager.plans[PLANS_KEY] = self.conditioning.to_json()

    def _fit_whitening(self, training: Sequence[str]) -> None:
        with self._reading_tokens():
            super()._fit_whitening(training)

    def _announce(self, case: str, shape: Sequence[int]) -> None:
        with self._reading_tokens():
            super()._announce(case, shape)

    @contextmanager
    def _reading_tokens(self) -> Iterator[None]:
        sentences, self.reports = self.reports, self._in_tokens
        try:
            yield
        finally:
            self.reports = sentences


class TokenKeysPredictor(MultiReportPredictor):
    """Predicts with a model of ReportGuidedTrainer_TokenKeys."""

    def _predict_under(
        self, reports: Sequence[CaseReport], vectors: SentenceVectors, frame: Frame, data: Tensor
    ) -> Tensor:
        return super()._predict_under([expand(report) for report in reports], vectors, frame, data)
