"""What a sentence says about its finding."""

from __future__ import annotations

import pytest

from text_conditioning.assertion import Assertion, classify

PRESENT, ABSENT, UNCERTAIN, HISTORICAL = Assertion


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("8 mm nodule in the left upper lobe.", PRESENT),
        ("There is a mass in the right lower lobe.", PRESENT),
        ("The heart is normal in size.", PRESENT),
        ("No nodule in the right upper lobe.", ABSENT),
        ("no pleural effusion", ABSENT),
        ("NO PNEUMOTHORAX.", ABSENT),
        ("There is no evidence of metastasis.", ABSENT),
        ("Lungs without focal consolidation.", ABSENT),
        ("The lungs are without consolidation.", ABSENT),
        ("The patient denies chest pain.", ABSENT),
        ("Pleural effusion was not observed.", ABSENT),
        ("The previously described nodule has resolved.", HISTORICAL),
        ("The nodule is no longer seen.", HISTORICAL),
        ("Negative for pulmonary embolism.", ABSENT),
        ("The liver is free of lesions.", ABSENT),
        ("In the left lung, no mass is visible.", ABSENT),
        ("In the left upper lobe, there is no nodule.", ABSENT),
        ("In the left upper lobe, there is a nodule.", PRESENT),
        ("In the left upper lobe a nodule, no effusion.", PRESENT),
        ("The left nodule cannot be seen any longer.", HISTORICAL),
        ("The nodule on the right can't be seen.", ABSENT),
        ("The previous nodule is gone.", HISTORICAL),
        ("The left nodule has regressed completely.", HISTORICAL),
        ("The left nodule has completely regressed.", HISTORICAL),
        ("The left nodule has regressed.", PRESENT),
        ("The nodule is not appreciable.", ABSENT),
        ("History of lobectomy on the left.", HISTORICAL),
        ("Status post right nephrectomy.", HISTORICAL),
        ("Opacity in the left base may represent pneumonia.", UNCERTAIN),
        ("Metastasis cannot be excluded.", UNCERTAIN),
        ("A small fracture could not be ruled out.", UNCERTAIN),
        ("Possible lymph node enlargement.", UNCERTAIN),
        ("Intrapulmonary lymph node?", UNCERTAIN),
    ],
)
def test_state_of_a_plain_sentence(sentence: str, expected: Assertion) -> None:
    assert classify(sentence) is expected


@pytest.mark.parametrize(
    "sentence",
    [
        "No change in the nodule.",
        "No significant interval change in the 8 mm nodule in the left upper lobe.",
        "The mass has not changed in size.",
        "The mass is not significantly increased in size.",
        "Nodule in the left lung without significant change.",
        "The effusion has not resolved.",
        "Partially resolved consolidation in the right lower lobe.",
        "A nodule that was not seen on the previous examination.",
        "As far as can be seen, a nodule in the left lung.",
        "Thorax CT without intravenous contrast.",
        "Stable nodule since the prior examination.",
        "The described infiltrates show almost complete regression.",
        "The cardiothoracic ratio has increased in favor of the heart.",
        "Nodule does not reach pathological size.",
    ],
)
def test_words_of_negation_that_deny_no_finding(sentence: str) -> None:
    assert classify(sentence) is PRESENT


@pytest.mark.parametrize(
    "sentence",
    [
        "8 mm nodule without calcification.",
        "A nodule with no calcification is seen in the left upper lobe.",
        "No effusion, but there is a nodule in the left upper lobe.",
        "No nodules other than the 8 mm nodule in the right upper lobe.",
        "No effusion; 12 mm nodule in the lingula.",
        "No effusion, 8 mm nodule in the left upper lobe.",
    ],
)
def test_a_finding_that_is_there_outweighs_a_denial_beside_it(sentence: str) -> None:
    assert classify(sentence) is PRESENT


@pytest.mark.parametrize(
    "sentence",
    [
        "Esophagus is normal and no wall thickening was detected.",
        "The lungs are clear without effusion.",
        "No effusion, pneumothorax, or consolidation.",
        "No nodule that may represent a metastasis.",
        "No suspicious nodule.",
        "In the upper abdominal sections within the image, no solid mass was detected.",
    ],
)
def test_a_denial_stays_a_denial_beside_a_normal_or_doubtful_word(sentence: str) -> None:
    assert classify(sentence) is ABSENT


def test_line_breaks_and_case_do_not_matter() -> None:
    assert classify("There is NO\n  evidence\tof a nodule.") is ABSENT


def test_values_are_those_stored_in_trained_models() -> None:
    assert {a.name: int(a) for a in Assertion} == {"PRESENT": 0, "ABSENT": 1, "UNCERTAIN": 2, "HISTORICAL": 3}
