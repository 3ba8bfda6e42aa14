"""The reports of a dataset, ready for training: sidecar, case reports and a complete embedding bank.

If ``reportseg embed`` was not run, the bank is built here, so that ``nnUNetv2_train`` alone is enough.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnunet_reportseg.case_reports import CaseReport, read_case_reports
from nnunet_reportseg.embedding import BANK_FOLDER, available_banks, choose_encoder, embed_reports, sentences_of
from nnunet_reportseg.errors import ReportSegError, SidecarError
from nnunet_reportseg.label_values import require_label_values
from nnunet_reportseg.missing_report import missing_report_policy
from nnunet_reportseg.paths import RAW
from nnunet_reportseg.report_twins import with_twins
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from text_conditioning.bank import EmbeddingBank
from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.errors import BankError
from text_conditioning.laterality import Laterality
from text_conditioning.reports import Sentence

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingReports:
    """Reports of all cases of a preprocessed dataset.

    Attributes:
        cases: report of each case.
        bank: vectors of all their sentences.
    """

    cases: Mapping[str, CaseReport]
    bank: EmbeddingBank

    @property
    def longest(self) -> int:
        """Sentences of the longest report."""
        return max((len(case.sentences) for case in self.cases.values()), default=0)

    @property
    def most_words(self) -> int:
        """Statements of the finding that has most of them."""
        return max((len(f.words) for case in self.cases.values() for f in case.findings), default=0)

    @property
    def have_findings(self) -> bool:
        """Whether any case links findings to label values."""
        return any(case.findings for case in self.cases.values())

    def finding_sentences(self, cases: Sequence[str]) -> list[Sentence]:
        """All sentences of findings with label values, each once."""
        linked = [
            report.sentences[i]
            for report in (self.cases[case] for case in cases)
            for finding in report.findings
            for i in finding.sentences
        ]
        return list({sentence.text: sentence for sentence in linked}.values())

    def filler_sentences(self, cases: Sequence[str]) -> list[Sentence]:
        """All sentences that belong to no finding and name no side, each once; they are true of no case in particular.

        Empty without findings: then nothing tells a filler from a finding.
        """
        if not self.have_findings:
            return []
        fillers = {
            sentence.text: sentence
            for report in (self.cases[case] for case in cases)
            for i, sentence in enumerate(report.sentences)
            if i not in report.linked and sentence.laterality is Laterality.NONE
        }
        return list(fillers.values())


def find_sidecar(preprocessed: Path) -> Path:
    """The sidecar of a preprocessed dataset: the raw dataset's own, else the copy that ``reportseg embed`` left.

    Raises:
        SidecarError: neither exists.
    """
    candidates = [preprocessed / SIDECAR_NAME]
    if os.environ.get(RAW):
        candidates.insert(0, Path(os.environ[RAW]) / preprocessed.name / SIDECAR_NAME)
    for candidate in candidates:
        if candidate.is_file():
            if candidate != candidates[0]:
                _log.warning("%s is missing; using the copy that was embedded, %s", candidates[0], candidate)
            return candidate
    raise SidecarError.about(
        "".join(["the sidecar is missing", *(f", and there is no copy {file}" for file in candidates[1:])]),
        file=candidates[0],
        fix="write one that maps every case to its report (docs/reports.schema.json), then run 'reportseg check'",
    )


def load_training_reports(
    preprocessed: Path,
    case_ids: Sequence[str],
    *,
    build: bool,
    segmentation: Callable[[str], NDArray[Any]] | None = None,
) -> TrainingReports:
    """Load the reports of a dataset.

    Args:
        preprocessed: ``nnUNet_preprocessed/DatasetXXX_Name``.
        case_ids: the cases to train and validate on.
        build: whether to embed missing sentences (one process only) or to expect them.
        segmentation: gives the preprocessed label map of a case; with it, label values of findings are checked.

    Raises:
        SidecarError: missing or invalid sidecar, a case without entry, an entry without case, a label value that never
            occurs.
        ReportSegError: sentences are missing and ``build`` is False.
        EncoderError: the encoder is needed and cannot be loaded.
    """
    sidecar = Sidecar.load(find_sidecar(preprocessed))
    sidecar.require_known(case_ids).require_cases(case_ids, missing_report=missing_report_policy())
    cases = read_case_reports(sidecar, list(case_ids))
    if segmentation is not None:
        require_label_values(sidecar, case_ids, segmentation, preprocessed)
    encoder = choose_encoder(preprocessed)
    sentences = sentences_of(with_twins(cases.values(), training=True))
    banks = [index for index in available_banks(preprocessed) if index.encoder == encoder]
    if len(banks) > 1:  # the encoder or the text processing changed: only the encoder can tell which bank is its own
        current = FrozenTextEncoder(encoder, device=_device()).fingerprint
        banks = [index for index in banks if index.fingerprint == current]
    for index in banks:
        try:
            bank = EmbeddingBank.open(preprocessed / BANK_FOLDER, index.fingerprint)
        except BankError as error:
            _log.warning("An embedding bank cannot be used: %s", error.problem)
            continue
        if not bank.missing(sentences):
            return TrainingReports(cases, bank)
    if not build:
        raise ReportSegError.about(
            f"the embedding bank lacks sentences of {sidecar.path}",
            file=preprocessed / BANK_FOLDER,
            fix=f"reportseg embed -d {preprocessed.name}",
        )
    _log.warning("Embedding the reports of %s with encoder '%s'", preprocessed.name, encoder)
    bank = embed_reports(preprocessed, sidecar, cases.values(), FrozenTextEncoder(encoder, device=_device()))
    return TrainingReports(cases, bank)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
