"""What a sentence says about one concept in it."""

from __future__ import annotations

import time

import pytest

from text_conditioning.assertion import Assertion, classify
from text_conditioning.clauses import split_clauses
from text_conditioning.errors import ReportTextError

STATES = dict(zip("PAUH", Assertion, strict=True))
MUST_PASS = (
    ("No pleural effusion, but a small left pneumothorax persists.", "pleural effusion:A pneumothorax:P"),
    (
        "Pericardial effusion was not observed; pleural effusion was observed on the right.",
        "Pericardial effusion:A pleural effusion:P",
    ),
    ("PLEURA: No effusion or pneumothorax.", "effusion:A pneumothorax:A"),
    ("No change in the LUL nodule.", "nodule:P"),
    ("The RLL consolidation has resolved.", "consolidation:H"),
    ("Previously seen left effusion is no longer identified.", "effusion:H"),
    (
        "Right basilar opacity may represent atelectasis; pneumonia cannot be excluded.",
        "opacity:P atelectasis:U pneumonia:U",
    ),
    ("Hypodense lesion (cyst?) in the left kidney.", "lesion:P cyst:U"),
    ("History of right lobectomy; no recurrent mass.", "lobectomy:H mass:A"),
    ("The fracture was left untreated.", "fracture:P"),
    ("Drain was left in the right pleural space.", "Drain:P"),
    ("All right lung nodules are stable.", "nodules:P"),
    ("Right-sided aortic arch.", "aortic arch:P"),
    ("L lung nodule at the level of L1-L2.", "nodule:P"),
    ("Bilateral effusions, R>L.", "effusions:P"),
    ("Nodules in the RML and LLL.", "Nodules:P"),
    ("Lingular nodule, 4 mm.", "nodule:P"),
    ("Left ventricle is dilated with right effusion.", "effusion:P"),
    (
        "No nodule or consolidation was seen and a 1.5 cm cyst is present in the left lobe of the liver.",
        "nodule:A consolidation:A cyst:P",
    ),
    ("No lytic lesion in favor of metastasis was detected.", "lytic lesion:A metastasis:A"),
    (
        "Right lung is clear, and no nodules, consolidation or masses are detected on the left.",
        "nodules:A consolidation:A masses:A",
    ),
    ("Pneumothorax is minimal, if any.", "Pneumothorax:U"),
    ("Nodule does not reach pathological size.", "Nodule:P"),
    ("Left-handed patient; Lt. adrenal mass not excluded.", "mass:U"),
)
FURTHER = (
    ("No infiltration was detected in favor of pneumonia.", "infiltration:A pneumonia:A"),
    ("A lesion evaluated in favor of a cyst is observed.", "lesion:P cyst:U"),
    ("Presumed atelectasis in the right base.", "atelectasis:U"),
    ("The consolidation shows almost complete regression.", "consolidation:P"),
    ("The consolidation shows complete regression.", "consolidation:H"),
    ("The effusion seen in the previous examination was not detected in the current examination.", "effusion:H"),
    ("The effusion, which was seen in the previous examination, was not detected.", "effusion:A"),
    ("Operated lung carcinoma at follow-up.", "lung carcinoma:H"),
    ("Suture materials secondary to bypass surgery are observed.", "Suture:P bypass surgery:H"),
    ("No active infiltration is observed in both lungs, and there is emphysema.", "infiltration:A emphysema:P"),
    ("No significant difference was detected in the mass.", "mass:P"),
    ("No enlargement or stenosis was detected in the aorta.", "stenosis:A"),
    ("The lesion is consistent with a hemangioma.", "hemangioma:P"),
    ("Consolidation (pneumonia?) and effusion in the right lung.", "Consolidation:P pneumonia:U effusion:P"),
    ("Metastasis (cannot be excluded) in the liver.", "Metastasis:U"),
    ("NO\n  pleural\teffusion ;  nodule in the left lung.", "effusion:A nodule:P"),
    ("In general, no change in vision.", "change in vision:A"),
    ("The patient is in no acute distress.", "acute distress:A"),
    ("The patient with a history of hypertension.", "hypertension:P"),
)


def spans(sentence: str, concepts: str) -> list[tuple[tuple[int, int], Assertion]]:
    found, position = [], 0
    for entry in (
        concepts.replace(":P ", ":P|").replace(":A ", ":A|").replace(":U ", ":U|").replace(":H ", ":H|").split("|")
    ):
        concept, state = entry.rsplit(":", 1)
        start = sentence.index(concept, position)
        position = start + len(concept)
        found.append(((start, position), STATES[state]))
    return found


@pytest.mark.parametrize(("sentence", "concepts"), MUST_PASS + FURTHER)
def test_each_concept_has_its_own_state(sentence: str, concepts: str) -> None:
    for span, expected in spans(sentence, concepts):
        assert classify(sentence, span) is expected, sentence[slice(*span)]


@pytest.mark.parametrize("sentence", [sentence for sentence, _ in MUST_PASS])
def test_case_does_not_matter(sentence: str) -> None:
    concepts = dict(MUST_PASS)[sentence]
    for span, expected in spans(sentence, concepts):
        assert classify(sentence.upper(), span) is expected


@pytest.mark.parametrize("concept", [(-1, 3), (3, 3), (0, 99), (5, 2)])
def test_a_concept_outside_the_sentence_is_refused(concept: tuple[int, int]) -> None:
    with pytest.raises(ReportTextError, match="is no span"):
        classify("No nodule.", concept)


@pytest.mark.parametrize(
    ("piece", "length"),
    [
        ("no effusion, ", 1_000_000),
        ("a", 1_000_000),
        *(
            (piece, 100_000)
            for piece in ("no ", "not ", "was ", ", and is ", "((", "(x) ", "nodule? ", "in the lung ", "history of a ")
        ),
    ],
)
def test_a_megabyte_in_one_line_is_read_in_time(piece: str, length: int) -> None:
    text = piece * (length // len(piece))
    begin = time.process_time()
    classify(text)
    classify(text, (len(text) // 2, len(text) // 2 + 3))
    split_clauses(text)
    assert time.process_time() - begin < 20 * length / 1_000_000 + 1
