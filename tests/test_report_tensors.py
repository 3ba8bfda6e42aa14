"""Collating reports: padding, order, selection; nothing is ever cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnunet_reportseg.case_reports import CaseReport, read_case_report
from nnunet_reportseg.report_tensors import report_tensors
from nnunet_reportseg.sidecar import Sidecar
from tests.spy_workspace import DIM, SpyEncoder
from text_conditioning.assertion import Assertion
from text_conditioning.bank import build_bank
from text_conditioning.errors import BankError
from text_conditioning.laterality import Laterality
from text_conditioning.levels import Level
from text_conditioning.ranks import Rank
from text_conditioning.reports import Section


class Vectors:
    """The spy encoder as a bank."""

    dim = DIM

    def vectors(self, sentences):
        return SpyEncoder().encode(sentences).astype(np.float32)


def case(*texts):
    sidecar = Sidecar.from_cases({"a": {"report": " ".join(texts)}})
    report = read_case_report(sidecar, "a")
    assert len(report.sentences) == len(texts)
    return report


def numbered(count):
    return case(*[f"Nodule number {k % DIM} is seen." for k in range(count)])


def test_vectors_tags_and_padding_of_a_batch():
    first = case("The larger nodule 3 in the left lung.", "No nodule 5 in the right upper lobe.")
    second = case("IMPRESSION: Nodule 7.")
    tensors = report_tensors([first, second], Vectors(), length=4)
    assert tensors.vectors.shape == (2, 4, DIM)
    assert tensors.vectors.abs().argmax(-1)[~tensors.padding].tolist() == [3, 5, 7]
    assert tensors.padding.tolist() == [[False, False, True, True], [False, True, True, True]]
    assert not tensors.vectors[tensors.padding].any()
    assert tensors.assertion[0, :2].tolist() == [Assertion.PRESENT, Assertion.ABSENT]
    assert tensors.laterality[0, :2].tolist() == [Laterality.LEFT, Laterality.RIGHT]
    assert tensors.level[0, :2].tolist() == [Level.NONE, Level.UPPER]
    assert tensors.rank[0, :2].tolist() == [Rank.LARGER, Rank.NONE]
    assert tensors.section[:, 0].tolist() == [Section.FINDINGS, Section.IMPRESSION]
    assert tensors.vectors.dtype == torch.float32


def test_a_missing_report_is_padding_alone():
    tensors = report_tensors([CaseReport("a"), numbered(2)], Vectors(), length=4)
    assert tensors.padding[0].all()
    assert not tensors.vectors[0].any()
    assert (~tensors.padding[1]).sum() == 2


def test_a_batch_of_missing_reports_has_the_usual_size():
    assert report_tensors([CaseReport("a")], Vectors(), length=8).vectors.shape == (1, 8, DIM)


@pytest.mark.parametrize(("sentences", "size"), [(1, 8), (8, 8), (9, 16), (17, 24)])
def test_a_longer_report_is_padded_further_and_never_cut(sentences, size):
    tensors = report_tensors([numbered(sentences)], Vectors(), length=8)
    assert tensors.padding.shape == (1, size)
    assert (~tensors.padding).sum() == sentences


def test_a_sentence_that_was_never_embedded_is_refused(tmp_path):
    bank = build_bank(tmp_path, SpyEncoder(), ["Nodule number 1 is seen."])
    with pytest.raises(BankError):
        report_tensors([numbered(3)], bank, length=4)
