"""Which side a sentence names."""

from __future__ import annotations

import pytest

from tests.text_conditioning.laterality_cases import CASES, Case
from text_conditioning.laterality import Laterality, tag

NONE, LEFT, RIGHT, BILATERAL = Laterality


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Nodule in the left upper lobe.", LEFT),
        ("Left-sided effusion.", LEFT),
        ("There is left pleural effusion.", LEFT),
        ("LUL nodule.", LEFT),
        ("Mass in the LLL", LEFT),
        ("Lt. lung nodule.", LEFT),
        ("Nodule in the upper lobe (L).", LEFT),
        ("L lung is clear.", LEFT),
        ("Mediastinal shift leftward.", LEFT),
        ("Nodule in the RIGHT lung.", RIGHT),
        ("8 mm nodule, RLL.", RIGHT),
        ("Rt. middle lobe atelectasis.", RIGHT),
        ("RML collapse", RIGHT),
        ("Bilateral pleural effusion.", BILATERAL),
        ("Effusions bilaterally.", BILATERAL),
        ("Nodules in both lungs.", BILATERAL),
        ("Atelectasis in both lower lobes.", BILATERAL),
        ("Bibasilar atelectasis.", BILATERAL),
        ("Nodules in the left and right upper lobes.", BILATERAL),
        ("The heart is normal.", NONE),
        ("Degeneration at L1 and L5.", NONE),
        ("Both nodules are calcified.", NONE),
    ],
)
def test_side(sentence: str, expected: Laterality) -> None:
    assert tag(sentence) is expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_side_of_sentences_judged_by_hand(case: Case) -> None:
    assert tag(case.sentence).name == case.side


@pytest.mark.parametrize(
    "sentence",
    [
        "The fracture was left untreated.",
        "The drain was left in place.",
        "The patient left the hospital.",
        "Call the ward right away.",
        "Should be seen right now.",
        "The patient is right-handed.",
    ],
)
def test_other_uses_of_the_words_are_no_sides(sentence: str) -> None:
    assert tag(sentence) is NONE


def test_a_side_beside_another_use_of_the_word_is_found() -> None:
    assert tag("A drain was left in place on the right.") is RIGHT
    assert tag("Call right away about the left pneumothorax.") is LEFT


def test_values_are_those_stored_in_trained_models() -> None:
    assert {side.name: int(side) for side in Laterality} == {"NONE": 0, "LEFT": 1, "RIGHT": 2, "BILATERAL": 3}
