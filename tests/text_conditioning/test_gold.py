"""Sentences, sizes and states against labels made by hand: in real reports and in cases of our own."""

from __future__ import annotations

from collections import Counter, defaultdict

from tests.real_data import REPORTS, needs
from tests.text_conditioning.gold import lengths, read_reports, read_rows
from text_conditioning.assertion import Assertion, classify
from text_conditioning.prior_sizes import read_sizes
from text_conditioning.reports import parse_report

needs_reports = needs(REPORTS)


@needs_reports
def test_sentences_of_real_reports() -> None:
    labelled = defaultdict(set)
    for row in read_rows("sentences.csv"):
        passage = (row["report"], row["column"], int(row["passage_start"]), int(row["passage_end"]))
        labelled[passage].add((int(row["start"]), int(row["end"])))
    hits = found = wanted = 0
    for (report, column, start, end), gold in labelled.items():
        sentences = parse_report(read_reports()[report][column]).sentences
        predicted = {(s.start, s.end) for s in sentences if s.start < end and s.end > start}
        hits, found, wanted = hits + len(gold & predicted), found + len(predicted), wanted + len(gold)
    assert wanted >= 200
    assert 2 * hits / (found + wanted) >= 0.99


@needs_reports
def test_sizes_of_real_reports() -> None:
    labelled = defaultdict(list)
    for row in read_rows("sizes_reports.csv"):
        labelled[row["report"], row["column"]].append((int(row["start"]), lengths(row["mm"]), row["prior"] == "1"))
    right = wrong = 0
    for (report, column), gold in labelled.items():
        for sentence in parse_report(read_reports()[report][column]).sentences:
            here = [(mm, prior) for start, mm, prior in gold if sentence.start <= start < sentence.end]
            wanted = Counter((length, prior) for mm, prior in here for length in mm)
            found = Counter((length, False) for length in sentence.sizes_mm)
            found += Counter((length, True) for length in sentence.prior_sizes_mm)
            agreed = (wanted & found).total()
            right, wrong = right + agreed, wrong + max(wanted.total(), found.total()) - agreed
    assert len({report for report, _ in labelled}) >= 50
    assert right / (right + wrong) >= 0.98


def test_size_cases() -> None:
    cases = read_rows("size_cases.tsv")
    assert len(cases) >= 60
    wrong = [
        row["text"]
        for row in cases
        if (sizes := read_sizes(row["text"])).current != lengths(row["current"]) or sizes.prior != lengths(row["prior"])
    ]
    assert not wrong


def test_assertion_cases() -> None:
    cases = read_rows("assertion_cases.tsv")
    assert len(cases) >= 280
    found: Counter[tuple[str, str]] = Counter()
    for row in cases:
        before, concept, after = row["text"].replace("]", "[").split("[")
        state = classify(before + concept + after, (len(before), len(before) + len(concept)))
        found[row["label"], state.name.lower()] += 1
    right = {state.name.lower(): found[state.name.lower(), state.name.lower()] for state in Assertion}
    assert sum(right.values()) / len(cases) >= 0.95
    assert right["absent"] / sum(count for (label, _), count in found.items() if label == "absent") >= 0.97
    assert right["uncertain"] / sum(count for (label, _), count in found.items() if label == "uncertain") >= 0.95
