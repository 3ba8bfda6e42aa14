"""Sentences are split into clauses where their states differ, and only there."""

from __future__ import annotations

import csv
import gzip
from itertools import pairwise

import pytest

from tests.real_data import REPORTS, needs
from text_conditioning.assertion import classify
from text_conditioning.assertion_languages import rules_for
from text_conditioning.clauses import split_clauses
from text_conditioning.sentences import split_sentences


@pytest.mark.parametrize(
    "marked",
    [
        "A:No pleural effusion, | P:but a small left pneumothorax persists.",
        "A:Pericardial effusion was not observed; | P:pleural effusion was observed on the right.",
        "H:History of right lobectomy; | A:no recurrent mass.",
        "A:No nodule or consolidation was seen | P:and a 1.5 cm cyst is present in the left lobe of the liver.",
        "P:A nodule is seen in the left upper lobe, | A:no effusion.",
        "P:Consolidation is present, | U:and malignancy cannot be excluded.",
        "A:No effusion; | P:12 mm nodule in the lingula; | U:possible rib fracture.",
    ],
)
def test_clauses_of_different_states_are_apart(marked: str) -> None:
    states, texts = zip(*(part.split(":", 1) for part in marked.split(" | ")), strict=True)
    sentence = " ".join(texts)
    clauses = [sentence[start:end] for start, end in split_clauses(sentence)]
    assert clauses == list(texts)
    assert [classify(clause).name[0] for clause in clauses] == list(states)


@pytest.mark.parametrize(
    "sentence",
    [
        "PLEURA: No effusion or pneumothorax.",
        "Right lung is clear, and no nodules, consolidation or masses are detected on the left.",
        "Right basilar opacity may represent atelectasis; pneumonia cannot be excluded.",
        "There is a nodule in the left lung and a cyst is seen in the liver.",
        "In the upper abdominal sections within the image, no solid mass was detected.",
        "Mediastinal structures could not be evaluated optimally because no contrast agent was given.",
        "A nodule, which may be a metastasis, is seen.",
        "Esophagus is normal and no wall thickening was detected.",
        "No effusion, pneumothorax, or consolidation.",
        "The examination was performed without contrast.",
    ],
)
def test_sentences_of_one_state_stay_whole(sentence: str) -> None:
    assert split_clauses(f"  {sentence}\n") == ((2, len(sentence) + 2),)


@pytest.mark.parametrize("blank", ["", "  \n"])
def test_nothing_has_no_clauses(blank: str) -> None:
    assert split_clauses(blank) == ()


def test_a_language_without_rules_is_not_split() -> None:
    sentence = "No effusion, but a nodule."
    assert split_clauses(sentence, rules=rules_for("xx")) == ((0, len(sentence)),)


@needs(REPORTS)
def test_nothing_of_real_reports_is_dropped_and_each_clause_alone_keeps_its_state() -> None:
    with gzip.open(REPORTS, "rt", encoding="utf-8") as file:
        reports = [row["Findings_EN"] for row in csv.DictReader(file)][::8]
    split = 0
    for report in reports:
        for first, last in split_sentences(report)[0]:
            sentence = report[first:last]
            clauses = split_clauses(sentence)
            gaps = [0, *(place for clause in clauses for place in clause), len(sentence)]
            assert not any(sentence[a:b].strip() for a, b in zip(gaps[::2], gaps[1::2], strict=True))
            states = [classify(sentence[start:end]) for start, end in clauses]
            assert all(a is not b for a, b in pairwise(states))
            split += len(clauses) > 1
    assert split > 10
