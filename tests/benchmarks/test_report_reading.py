"""The states of findings against public and hand-made labels; skipped where the data is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from reading import assertions
from tests.real_data import DATA, REPORTS, needs

GOLD = Path(__file__).parents[1] / "text_conditioning" / "gold"

pytestmark = needs(DATA / "negation", REPORTS)


def test_negated_concepts_of_clinical_sentences():
    found = assertions.read_negex(DATA / assertions.NEGEX)
    assert found["precision"] >= 0.97
    assert found["recall"] >= 0.965
    assert found["f1"] >= 0.97


def test_findings_of_reports_by_keyword_and_state():
    found = assertions.read_findings(DATA / assertions.FINDINGS)
    assert found["micro of 14, present"]["f1"] >= 0.92
    assert found["micro of 14, any mention"]["f1"] < 0.8  # what ignoring negation gives


@pytest.mark.parametrize("name", ["mentions.csv", "mentions_random.csv"])
def test_hand_labelled_mentions(name):
    found = assertions.read_mentions(GOLD / name, REPORTS)
    assert found["mentions"] >= 250
    assert found["accuracy"] >= 0.88
    assert found["recall"]["absent"] >= 0.95
    assert found["recall"]["uncertain"] >= 0.75
