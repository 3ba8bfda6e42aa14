"""From report text to sections and sentences."""

from __future__ import annotations

import random

import pytest

from text_conditioning.assertion import Assertion
from text_conditioning.errors import ReportTextError, TextConditioningError
from text_conditioning.laterality import Laterality
from text_conditioning.reports import Report, Section, parse_report

FULL = """EXAMINATION: CT chest
CLINICAL HISTORY: Cough. History of lymphoma.
TECHNIQUE: 1.5 mm sections without contrast.
COMPARISON: None.
FINDINGS: There is a 1.5 cm nodule in the left upper lobe. No pleural effusion.
Heart is normal in size
IMPRESSION:
1. 15 mm nodule in the LUL, may represent metastasis.
2. Hiatal hernia
"""


def uncovered(report: Report) -> str:
    """Characters outside every sentence and heading."""
    spans = sorted([*((s.start, s.end) for s in report.sentences), *report.markup])
    rest, position = "", 0
    for start, end in spans:
        assert start >= position, "spans overlap"
        rest += report.text[position:start]
        position = end
    return rest + report.text[position:]


def texts(text: str) -> list[str]:
    return [sentence.text for sentence in parse_report(text).sentences]


def test_sections_and_sentences_of_a_full_report() -> None:
    report = parse_report(FULL)
    assert [(s.section, s.text) for s in report.sentences] == [
        (Section.OTHER, "CT chest"),
        (Section.CLINICAL, "Cough."),
        (Section.CLINICAL, "History of lymphoma."),
        (Section.TECHNIQUE, "1.5 mm sections without contrast."),
        (Section.COMPARISON, "None."),
        (Section.FINDINGS, "There is a 1.5 cm nodule in the left upper lobe."),
        (Section.FINDINGS, "No pleural effusion."),
        (Section.FINDINGS, "Heart is normal in size"),
        (Section.IMPRESSION, "15 mm nodule in the LUL, may represent metastasis."),
        (Section.IMPRESSION, "Hiatal hernia"),
    ]


def test_what_is_read_off_a_sentence() -> None:
    nodule, effusion = (parse_report(FULL).sentences[i] for i in (5, 6))
    assert (nodule.assertion, nodule.laterality, nodule.sizes_mm) == (Assertion.PRESENT, Laterality.LEFT, (15.0,))
    assert (effusion.assertion, effusion.laterality, effusion.sizes_mm) == (Assertion.ABSENT, Laterality.NONE, ())


def test_spans_point_into_the_text_and_nothing_but_white_space_is_outside() -> None:
    report = parse_report(FULL)
    assert all(report.text[s.start : s.end] == s.text for s in report.sentences)
    assert not uncovered(report).strip()


def test_no_text_is_lost_whatever_is_written() -> None:
    pieces = ["FINDINGS:", "Impression:", "TECHNIQUE", "1.", "2)", "-", "\u2022", "1.5 cm", "3 x 4 mm.", "left"]
    pieces += ["Lt.", "\n", "\n\n", "\r\n", "\t", "(L)?", "...", "-----", "e.g.", "CT", "5x4x5.", "mass,", "[**12**]"]
    pieces += ["No nodule.", "\u00e9"]
    rng = random.Random(0)
    for _ in range(500):
        text = "a " + "".join(rng.choice(pieces) + rng.choice([" ", " ", ""]) for _ in range(rng.randint(1, 25)))
        report = parse_report(text)
        assert not uncovered(report).strip(), text
        assert all(s.text and s.text == text[s.start : s.end] for s in report.sentences), text


def test_a_report_without_headings_is_all_findings() -> None:
    assert {s.section for s in parse_report("Nodule in the left lung. No effusion.").sentences} == {Section.FINDINGS}


def test_headings_inside_one_line() -> None:
    report = parse_report("CT chest INDICATION: fever FINDINGS: No nodule. IMPRESSION: Normal.")
    assert [(s.section.name, s.text) for s in report.sentences] == [
        ("OTHER", "CT chest"),
        ("CLINICAL", "fever"),
        ("FINDINGS", "No nodule."),
        ("IMPRESSION", "Normal."),
    ]


def test_a_heading_word_inside_a_sentence_is_no_heading() -> None:
    assert texts("History of cancer with findings: as before.") == ["History of cancer with findings: as before."]


@pytest.mark.parametrize(
    "sentence",
    [
        "A 1.5 cm nodule is seen.",
        "Lt. upper lobe nodule.",
        "Nodule of approx. 8 mm in the lung.",
        "Wall thickening (debris? blood?) in the bronchus.",
        "Nodule in the upper\nlobe of the left lung.",
        "Nodule in the\nLeft upper lobe.",
        "Nodule measuring 5 mm. in diameter.",
        "See image no. 34 for details.",
    ],
)
def test_one_sentence_stays_one(sentence: str) -> None:
    assert texts(sentence) == [sentence]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No nodule.Effusion on the left.", ["No nodule.", "Effusion on the left."]),
        ("no nodule. heart is normal.", ["no nodule.", "heart is normal."]),
        ("Nodule of 5 mm. No effusion.", ["Nodule of 5 mm.", "No effusion."]),
        ("Nodule on the left\nNo effusion\nHeart normal", ["Nodule on the left", "No effusion", "Heart normal"]),
        ("- nodule\n- effusion\n* hernia", ["nodule", "effusion", "hernia"]),
        ("1. Nodule. 2. Effusion. 3. Hernia.", ["Nodule.", "Effusion.", "Hernia."]),
        ("1) nodule on the left\r\n2) 1.5 cm cyst", ["nodule on the left", "1.5 cm cyst"]),
        ("Nodule on the left\n\nno effusion", ["Nodule on the left", "no effusion"]),
    ],
)
def test_sentences_are_told_apart(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("8 mm nodule", (8.0,)),
        ("8-mm nodule", (8.0,)),
        ("1.5 x 2 cm mass", (15.0, 20.0)),
        ("mass of 1,5x2,0x3,0 cm", (15.0, 20.0, 30.0)),
        ("nodules of 6-8 mm", (6.0, 8.0)),
        ("12 mm x 9 mm", (12.0, 9.0)),
        ("a volume of 5 cm3 and 12 mmHg at 2 cm/s", ()),
        ("series 4, image 12", ()),
    ],
)
def test_sizes_in_mm(text: str, sizes: tuple[float, ...]) -> None:
    assert parse_report(text).sentences[0].sizes_mm == sizes


@pytest.mark.parametrize("text", ["", "  \n", "12.5", "---", "FINDINGS:\nIMPRESSION:\n"])
def test_a_report_with_nothing_to_read_is_refused(text: str) -> None:
    with pytest.raises(ReportTextError, match="null") as caught:
        parse_report(text)
    assert isinstance(caught.value, TextConditioningError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("In the left lung, 12 mm. In the right lung, 8 mm.", 2),
        ("Nodule of 12 mm. Nodule in the left lower lobe.", 2),
        ("A 12 mm. nodule in the left lower lobe.", 1),
    ],
)
def test_a_unit_ends_a_sentence_when_a_capital_follows(text, count):
    assert len(parse_report(text).sentences) == count
