"""Hand-written reports in the layouts of many hospitals: their sentences, and the section of each.

`gold/layouts.txt` holds them: a name behind "===", the report, and below "---" a line for each sentence with its
section ("other|technique" where either will do).
"""

from __future__ import annotations

import pytest

from tests.text_conditioning.gold import HERE
from text_conditioning.reports import parse_report


def _read() -> dict[str, tuple[str, list[tuple[str, str]]]]:
    layouts = {}
    for block in (HERE / "layouts.txt").read_text(encoding="utf-8").split("=== ")[1:]:
        name, rest = block.split("\n", 1)
        text, labels = rest.split("\n---\n")
        section_and_sentence = [(line.partition(" ")[0], line.partition(" ")[2]) for line in labels.splitlines()]
        layouts[name] = text.replace("\\r\\n", "\r\n"), section_and_sentence
    return layouts


LAYOUTS = _read()


@pytest.mark.parametrize("name", LAYOUTS)
def test_sentences_and_sections_of_a_layout(name: str) -> None:
    text, labels = LAYOUTS[name]
    sentences = parse_report(text).sentences
    assert [_one_line(sentence.text) for sentence in sentences] == [_one_line(sentence) for _, sentence in labels]
    for sentence, (section, _) in zip(sentences, labels, strict=True):
        assert sentence.section.name.lower() in section.split("|"), sentence.text


@pytest.mark.parametrize("name", LAYOUTS)
def test_spans_reproduce_a_layout(name: str) -> None:
    text, _ = LAYOUTS[name]
    report = parse_report(text)
    position = 0
    for start, end in sorted([*((s.start, s.end) for s in report.sentences), *report.markup]):
        assert start >= position
        assert text[position:start].strip() == ""
        position = end
    assert text[position:].strip() == ""
    assert all(text[s.start : s.end] == s.text for s in report.sentences)


def _one_line(text: str) -> str:
    return " ".join(text.split())
