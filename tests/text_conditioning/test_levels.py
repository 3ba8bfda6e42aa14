"""Which level a sentence names."""

from __future__ import annotations

import pytest

from text_conditioning.levels import Level, read_level

NONE, UPPER, MIDDLE, LOWER, SEVERAL = Level


@pytest.mark.parametrize(
    ("sentence", "level"),
    [
        ("Nodule in the left upper lobe.", UPPER),
        ("LUL nodule.", UPPER),
        ("Biapical scarring.", UPPER),
        ("Nodule in the upper half of the left lung.", UPPER),
        ("Opacity in the lower part of the lung.", LOWER),
        ("Nodules in the upper and lower thirds of both lungs.", SEVERAL),
        ("Fluid in the lower part of the abdomen.", NONE),
        ("Nodule in the lingula.", UPPER),
        ("Nodule in the upper lobe, lingular segment.", UPPER),
        ("Nodule in the right middle lobe.", MIDDLE),
        ("RML collapse.", MIDDLE),
        ("Opacity in the mid zone.", MIDDLE),
        ("Bibasilar atelectasis.", LOWER),
        ("Nodule in the posterobasal segment.", LOWER),
        ("Nodule in the superior segment of the left lower lobe.", LOWER),
        ("Apical segment of the lower lobe of the left lung.", LOWER),
        ("Nodule in lung segment S6.", LOWER),
        ("Stone in the lower pole of the kidney.", LOWER),
        ("Nodules in the upper and lower lobes.", SEVERAL),
        ("Emphysema in all lobes.", SEVERAL),
        ("LUL and LLL nodules.", SEVERAL),
        ("Nodules in both lungs.", NONE),
        ("Upper abdominal organs are normal.", NONE),
        ("Cyst in liver segment 6.", NONE),
        ("Thickening of the cardiac apex.", NONE),
        ("Calcification in the basal ganglia.", NONE),
        ("Lower extremity swelling.", NONE),
    ],
)
def test_level(sentence: str, level: Level) -> None:
    assert read_level(sentence) is level


def test_values_are_those_stored_in_trained_models() -> None:
    assert {level.name: int(level) for level in Level} == {"NONE": 0, "UPPER": 1, "MIDDLE": 2, "LOWER": 3, "SEVERAL": 4}
