"""Left and right exchanged, and refused where that would be false.

The sentences of `laterality_cases.tsv` were judged by hand. The properties are tested on them, on joined texts, and,
where they are present, on 1,564 real chest CT reports.
"""

from __future__ import annotations

import csv
import gzip
import random
import re

import pytest

from tests.real_data import REPORTS, needs
from tests.text_conditioning.laterality_cases import CASES, Case
from text_conditioning.laterality import Laterality, tag
from text_conditioning.laterality_swap import swap_laterality
from text_conditioning.reports import parse_report

OTHER_WORD = {"left": "right", "Left": "Right", "LEFT": "RIGHT", "LEft": "RIght", "L": "R", "l": "r"}
OTHER_WORD |= {"levo": "dextro", "Levo": "Dextro"}
OTHER_WORD |= {right: left for left, right in OTHER_WORD.items()}
OTHER_SIDE = {Laterality.LEFT: Laterality.RIGHT, Laterality.RIGHT: Laterality.LEFT}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.sentence)
def test_exchange_of_a_sentence(case: Case) -> None:
    assert ("{" in case.marked) == (case.action == "swap")
    expected = re.sub(r"\{(\w+)\}", lambda match: OTHER_WORD[match.group(1)], case.marked)
    assert swap_laterality(case.sentence) == (None if case.action == "refuse" else expected)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("No change in the LUL nodule.", "No change in the RUL nodule."),
        ("Drain was left in the right pleural space.", "Drain was left in the left pleural space."),
        ("Bilateral effusions, R>L.", "Bilateral effusions, L>R."),
        ("Left-handed patient; Lt. adrenal mass not excluded.", "Left-handed patient; Rt. adrenal mass not excluded."),
        ("LEFT LUNG IS CLEAR. Right effusion.", "RIGHT LUNG IS CLEAR. Left effusion."),
        ("L lung nodule at the level of L1-L2.", "R lung nodule at the level of L1-L2."),
    ],
)
def test_exchanged_text_written_out(sentence: str, expected: str) -> None:
    assert swap_laterality(sentence) == expected


def assert_exchange_is_consistent(text: str) -> None:
    swapped = swap_laterality(text)
    if swapped is not None:
        assert swap_laterality(swapped) == text
        assert tag(swapped) is OTHER_SIDE.get(tag(text), tag(text))


def test_texts_of_several_sentences_come_back_and_one_refusal_refuses_all() -> None:
    rng = random.Random(0)
    for _ in range(1000):
        chosen = rng.sample(CASES, rng.randint(2, 6))
        text = "".join(case.sentence + rng.choice([" ", "  ", "\n", "\r\n\r\n"]) for case in chosen)
        assert_exchange_is_consistent(text)
        if "refuse" in {case.action for case in chosen}:
            assert swap_laterality(text) is None, text


def test_nonsense_comes_back() -> None:
    words = "left right Left RIGHT the was is in on all at away lung lobe L R Lt. rt (L) R>L L/R LUL RE LE 2 4L".split()
    words += ["\n", *"10R untreated unchanged -sided liver after . , LEFT rIGHT handed levoscoliosis".split()]
    rng = random.Random(0)
    exchanged = 0
    for _ in range(5000):
        text = "".join(rng.choice(words) + rng.choice(["", " ", " "]) for _ in range(rng.randint(1, 8)))
        swapped = swap_laterality(text)
        exchanged += swapped not in (None, text)
        assert_exchange_is_consistent(text)
    assert exchanged > 1000


def test_nothing_to_read_is_returned() -> None:
    assert swap_laterality("") == ""
    assert swap_laterality(" \n") == " \n"


def test_a_very_long_text_is_exchanged_whole() -> None:
    text = "left, right " * 5000 + "calcified aorta " * 5000
    assert swap_laterality(text) == "right, left " * 5000 + "calcified aorta " * 5000


def read_real_texts() -> list[str]:
    with gzip.open(REPORTS, "rt", encoding="utf-8", newline="") as file:
        texts = {row[name] for row in csv.DictReader(file) for name in row if name.endswith("_EN")}
    return [text for text in sorted(texts) if any(c.isalpha() for c in text)]


@needs(REPORTS)
def test_real_reports_come_back_with_the_other_side() -> None:
    texts = read_real_texts()
    for text in texts:
        swapped_text = swap_laterality(text)
        assert swapped_text is None or swap_laterality(swapped_text) == text
    sentences = [sentence.text for text in texts for sentence in parse_report(text).sentences]
    assert len(sentences) > 20_000
    swapped = [swap_laterality(sentence) for sentence in sentences]
    for sentence in set(sentences):
        assert_exchange_is_consistent(sentence)
    assert sum(new not in (None, old) for new, old in zip(swapped, sentences, strict=True)) > 2000
    sided = [new for new, old in zip(swapped, sentences, strict=True) if tag(old) is not Laterality.NONE]
    assert sided.count(None) < 0.1 * len(sided)
