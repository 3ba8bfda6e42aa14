"""From case reports and an embedding bank to the tensors that the network takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from nnunet_reportseg.case_reports import CaseReport
from text_conditioning.memory import ReportTensors


class SentenceVectors(Protocol):
    """Anything that knows the vectors of sentences, such as an EmbeddingBank."""

    @property
    def dim(self) -> int:
        """``E``, length of a vector."""
        ...

    def vectors(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """``(N, E)`` vectors of the sentences."""
        ...


def report_tensors(
    reports: Sequence[CaseReport],
    bank: SentenceVectors,
    *,
    length: int,
) -> ReportTensors:
    """Collate reports.

    Args:
        reports: one for each sample; without sentences for a missing report.
        bank: vectors of all their sentences.
        length: sentences to pad to (ReportConditioning.padded_to). A longer report is never cut: it pads to the next
            multiple of ``length``.

    Returns:
        A batch with raw sentence vectors.

    Raises:
        BankError: a sentence is not in the bank.
    """
    longest = max((len(report.read) for report in reports), default=0)
    size = length * max(1, -(-longest // length))
    shape = (len(reports), size)
    vectors = np.zeros((*shape, bank.dim), dtype=np.float32)
    tags = np.zeros((5, *shape), dtype=np.int64)
    padding = np.ones(shape, dtype=bool)
    asked = np.zeros(shape, dtype=bool)
    for row, report in enumerate(reports):
        sentences = report.read
        if not sentences:
            continue
        count = len(sentences)
        vectors[row, :count] = bank.vectors([sentence.text for sentence in sentences])
        tags[0, row, :count] = [sentence.assertion for sentence in sentences]
        tags[1, row, :count] = [sentence.laterality for sentence in sentences]
        tags[2, row, :count] = [sentence.level for sentence in sentences]
        tags[3, row, :count] = [sentence.rank for sentence in sentences]
        tags[4, row, :count] = [sentence.section for sentence in sentences]
        padding[row, :count] = False
        asked[row, len(report.sentences) : count] = True
    assertion, laterality, level, rank, section = (torch.from_numpy(tag) for tag in tags)
    return ReportTensors(
        torch.from_numpy(vectors),
        assertion,
        laterality,
        level,
        rank,
        section,
        torch.from_numpy(padding),
        torch.from_numpy(asked),
    )
