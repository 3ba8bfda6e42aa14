"""Which statements cannot mean the same finding."""

from __future__ import annotations

import pytest

from nnunet_reportseg.told_apart import told_apart
from text_conditioning.reports import Sentence, parse_report


def statement(text: str) -> Sentence:
    (found,) = parse_report(text).statements
    return found


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("Nodule in the left lung.", "Nodule in the right lung.", True),
        ("Nodule in the left upper lobe.", "Nodule in the left lower lobe.", True),
        ("Nodule in the left upper lobe.", "Nodule in the left lung.", False),
        ("Nodule in the left lung.", "There is a pulmonary nodule.", False),
        ("Nodule in the left lung.", "Nodules in both lungs.", False),
        ("6 mm nodule.", "Several nodules are seen.", False),
        ("Consolidation in the left lower lobe.", "Pleural effusion on the left.", True),
        ("Area of consolidation in the right lung.", "Area of emphysema in the right lung.", True),
        ("Mass in the left upper lobe.", "Left upper lobe.", True),
        ("Solid nodule in the left upper lobe.", "Ground-glass opacity in the left upper lobe.", True),
    ],
)
def test_sides_levels_and_words_tell_statements_apart(one: str, other: str, apart: bool) -> None:
    assert told_apart(statement(one), statement(other)) is apart
    assert told_apart(statement(other), statement(one)) is apart
