"""Text that is no report is refused by name, and no text takes long."""

from __future__ import annotations

import random
import time

import pytest

from text_conditioning.errors import ReportTextError
from text_conditioning.laterality import Laterality, tag
from text_conditioning.reports import parse_report
from text_conditioning.sentences import LONGEST_SENTENCE

MEGABYTE = 1_000_000
LONGEST = 20.0  # seconds of processor time


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no words"),
        (" \r\n\t", "no words"),
        ("12 + 3 = 15.", "no words"),
        ("Nodule\0in the lung.", r"U\+0000 at character 6"),
        ("Nodule \x07 in the lung.", r"U\+0007"),
        ("Nodule in the lung \ud83d.", r"U\+D83D"),
        (b"\x7fELF\x02\x01\x01\x00\x00lung".decode("latin1"), r"U\+007F"),
        ("Verd\ufffdcht\ufffd auf Pneumonie \ufffd\ufffd\ufffd", "could not be decoded"),
        ("<p>Nodule in the lung.</p>", "HTML tags"),
        ("Nodule.<br/>Effusion.", "HTML tags"),
        ("Nodule &lt;5 mm.", "HTML entities"),
        ("Nodule&#160;of 5 mm", "HTML entities"),
        (r"{\rtf1\ansi Nodule in the lung.}", "RTF"),
        (r"Nodule in the lung.\par\b Effusion.", "RTF"),
    ],
)
def test_what_is_no_plain_text_is_refused(text: str, named: str) -> None:
    with pytest.raises(ReportTextError, match=named):
        parse_report(text)


@pytest.mark.parametrize(
    "text",
    [
        "Nodule <5 mm and >3 mm.",
        "Effusion R<L, left > right.",
        "R&L effusion; A&P projection.",
        "Nodule in the lung \\ no change.",
        "Opacit\ufffds in both lungs, the rest of the report can be read without this one letter.",
        "Opacit\u00c3\u00a9s in both lungs.",
        "\ufeffNodule in the lung.",
        "N\u00f3dulo pulmonar \u7d50\u7bc0",
    ],
)
def test_what_looks_like_it_is_read(text: str) -> None:
    report = parse_report(text)
    assert report.text == text


@pytest.mark.parametrize("piece", ["a", "a ", ".", "(", "left ", "A:\n", "5 x ", "no nodule, "])
def test_a_megabyte_of_anything_is_read_or_refused_in_time(piece: str) -> None:
    text = ("Nodule " + piece * (MEGABYTE // len(piece)))[:MEGABYTE] + " x"
    start = time.process_time()
    try:
        report = parse_report(text)
    except ReportTextError:
        report = None
    assert time.process_time() - start < LONGEST
    if report is not None:
        assert max(len(sentence.text) for sentence in report.sentences) <= LONGEST_SENTENCE


def test_the_side_of_a_very_long_sentence_is_told_in_time() -> None:
    text = "right lobe of the liver " * (MEGABYTE // 100)
    start = time.process_time()
    assert tag(text) is Laterality.NONE
    assert time.process_time() - start < LONGEST / 4


def test_random_bytes_are_read_or_refused() -> None:
    rng = random.Random(0)
    refused = 0
    for _ in range(300):
        data = bytes(rng.randrange(256) for _ in range(200))
        for text in (data.decode("latin1"), data.decode("utf-8", "replace"), data.decode("utf-8", "surrogateescape")):
            try:
                parse_report(text)
            except ReportTextError:
                refused += 1
    assert refused > 800
