"""Sentences that say that a finding is there, denied by rule."""

import pytest

from nnunet_reportseg.data.phantom_negation_reports import NODULE_PHRASES, TEST_WORDING, TRAINING_WORDING
from text_conditioning.assertion import Assertion, classify
from text_conditioning.denial import deny
from text_conditioning.laterality import tag

LEFT = "There is a nodule in the left upper lobe."


@pytest.mark.parametrize(
    ("sentence", "denial"),
    [
        (LEFT, "There is no nodule in the left upper lobe."),
        ("A nodule is seen in the left lung.", "No nodule is seen in the left lung."),
        ("In the left lung, a mass is visible.", "There is no mass in the left lung."),
        ("The left lung contains a nodule.", "The left lung contains no nodule."),
        ("Nodule in the left lung.", "No evidence of nodule in the left lung."),
        ("CT shows a 9 mm mass in the left lung.", "CT shows no 9 mm mass in the left lung."),
        ("Once more, the left nodule is demonstrated.", "The left nodule is not demonstrated."),
        ("LUL nodule.", "No evidence of LUL nodule."),
        ("There is no change of the left nodule.", "No evidence of the left nodule."),
        ("No nodule in the left lung.", "No nodule in the left lung."),
        ("The left lung shows consolidation.", "The left lung shows no consolidation."),
        ("L1 fracture.", "No evidence of L1 fracture."),
        ("The left nodule has resolved, the right one persists.", None),
        # what is said of a finding cannot be denied without denying more or less than the finding
        ("A nodule in the left lung has grown.", None),
        ("A nodule in the left lung is unchanged.", "No evidence of a nodule in the left lung is unchanged."),
        ("The mass has increased from 12 mm to 15 mm.", None),
        ("There is a mass without calcification in the left lung.", None),
        ("There is a nodule which was not seen before.", None),
        ("There are two nodules, one in the right upper lobe and one in the left.", None),
        ("The scan shows several nodules and has a mass in the left lung.", None),
    ],
)
def test_denials(sentence, denial):
    assert deny(sentence) == denial


@pytest.mark.parametrize("wording", [TRAINING_WORDING, TEST_WORDING])
def test_every_persisting_nodule_can_be_denied_and_keeps_its_side(wording):
    for template in wording.persisting:
        for phrase in NODULE_PHRASES:
            sentence = template.format(nodule=phrase.format(side="left"))
            denial = deny(sentence)
            assert denial is not None, sentence
            assert classify(denial) is Assertion.ABSENT
            assert tag(denial) == tag(sentence)
