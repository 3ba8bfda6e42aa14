"""Sentences that must pass: the sides they name, and what the exchange of sides makes of them."""

from __future__ import annotations

import pytest

from text_conditioning.laterality import Laterality, tag
from text_conditioning.laterality_swap import swap_laterality

NONE, LEFT, RIGHT, BILATERAL = Laterality
REFUSED = None

CASES: list[tuple[str, Laterality, str | None]] = [
    (
        "No pleural effusion, but a small left pneumothorax persists.",
        LEFT,
        "No pleural effusion, but a small right pneumothorax persists.",
    ),
    (
        "Pericardial effusion was not observed; pleural effusion was observed on the right.",
        RIGHT,
        "Pericardial effusion was not observed; pleural effusion was observed on the left.",
    ),
    ("PLEURA: No effusion or pneumothorax.", NONE, "PLEURA: No effusion or pneumothorax."),
    ("No change in the LUL nodule.", LEFT, "No change in the RUL nodule."),
    ("The RLL consolidation has resolved.", RIGHT, "The LLL consolidation has resolved."),
    (
        "Previously seen left effusion is no longer identified.",
        LEFT,
        "Previously seen right effusion is no longer identified.",
    ),
    (
        "Right basilar opacity may represent atelectasis; pneumonia cannot be excluded.",
        RIGHT,
        "Left basilar opacity may represent atelectasis; pneumonia cannot be excluded.",
    ),
    (
        "Hypodense lesion (cyst?) in the left kidney.",
        LEFT,
        "Hypodense lesion (cyst?) in the right kidney.",
    ),
    ("History of right lobectomy; no recurrent mass.", RIGHT, "History of left lobectomy; no recurrent mass."),
    ("The fracture was left untreated.", NONE, "The fracture was left untreated."),
    ("Drain was left in the right pleural space.", RIGHT, "Drain was left in the left pleural space."),
    ("All right lung nodules are stable.", RIGHT, "All left lung nodules are stable."),
    (
        "Findings were discussed right away; patient is all right.",
        NONE,
        "Findings were discussed right away; patient is all right.",
    ),
    ("Right-sided aortic arch.", RIGHT, "Left-sided aortic arch."),
    (
        "L lung nodule at the level of L1-L2.",
        LEFT,
        "R lung nodule at the level of L1-L2.",
    ),
    ("Bilateral effusions, R>L.", BILATERAL, "Bilateral effusions, L>R."),
    ("Nodules in the RML and LLL.", BILATERAL, "Nodules in the lingula and RLL."),
    ("Lingular nodule, 4 mm.", LEFT, REFUSED),
    ("Left ventricle is dilated with right effusion.", RIGHT, REFUSED),
    (
        "No nodule or consolidation was seen and a 1.5 cm cyst is present in the left lobe of the liver.",
        NONE,
        REFUSED,
    ),
    (
        "No lytic lesion in favor of metastasis was detected.",
        NONE,
        "No lytic lesion in favor of metastasis was detected.",
    ),
    (
        "Right lung is clear, and no nodules, consolidation or masses are detected on the left.",
        BILATERAL,
        "Left lung is clear, and no nodules, consolidation or masses are detected on the right.",
    ),
    ("Pneumothorax is minimal, if any.", NONE, "Pneumothorax is minimal, if any."),
    ("Nodule does not reach pathological size.", NONE, "Nodule does not reach pathological size."),
    (
        "Left-handed patient; Lt. adrenal mass not excluded.",
        LEFT,
        "Left-handed patient; Rt. adrenal mass not excluded.",
    ),
]


@pytest.mark.parametrize(("sentence", "side", "exchanged"), CASES, ids=[case[0] for case in CASES])
def test_side_and_exchange(sentence: str, side: Laterality, exchanged: str | None) -> None:
    assert tag(sentence) is side
    assert swap_laterality(sentence) == exchanged
    if exchanged is not None:
        assert swap_laterality(exchanged) == sentence


@pytest.mark.parametrize(
    ("sentence", "exchanged"),
    [
        ("RML and RLL pneumonia.", "lingula and LLL pneumonia."),
        ("Nodules in the lingula and RLL. Left effusion.", "Nodules in the RML and LLL. Right effusion."),
        ("RML nodule. LLL nodule.", REFUSED),  # alone "lingula nodule" would not be English
        ("Nodule in the lingula and in the left lower lobe.", REFUSED),
        ("Lingular nodule and LLL nodule.", REFUSED),
        ("RML nodule, liver cyst in the left lobe, LLL nodule.", REFUSED),
    ],
)
def test_the_middle_lobe_and_the_lingula_are_exchanged_beside_lobes_in_short(
    sentence: str, exchanged: str | None
) -> None:
    assert swap_laterality(sentence) == exchanged
    if exchanged is not None:
        assert swap_laterality(exchanged) == sentence


@pytest.mark.parametrize(
    ("clause", "side"),
    [("Right lung is clear", RIGHT), ("no masses are detected on the left", LEFT), ("R>L", BILATERAL)],
)
def test_clauses_have_sides_of_their_own(clause: str, side: Laterality) -> None:
    assert tag(clause) is side
