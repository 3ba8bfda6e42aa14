"""The states of findings, against public and hand-made labels.

- NegEx: concepts in clinical sentences (chapmanbe/negex, Apache-2.0); absent or historical counts as Negated.
- 18 findings: chest CT reports with manual labels (CT-RATE, CC BY-NC-SA 4.0, measurements only). A finding is predicted
  where one of its keywords (``finding_keywords.json``, frozen) is asserted present. The four findings that keywords
  find worst are left out of the second figure.
- Mentions: hand-labelled places in real reports, a CSV with report, column, start, end, label.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from text_conditioning.assertion import Assertion, classify
from text_conditioning.assertion_scopes import read_assertions
from text_conditioning.clauses import split_clauses
from text_conditioning.sentences import split_sentences

KEYWORDS = Path(__file__).with_name("finding_keywords.json")
NEGEX = Path("negation") / "negex_sentences_half.tsv"
REPORTS = Path("reports") / "chest_ct_reports_1564.csv.gz"
FINDINGS = Path("reports") / "chest_ct_reports_18_findings_800.csv.gz"
LEFT_OUT = 4


def scores(true_positive: int, false_positive: int, false_negative: int) -> dict[str, float]:
    """Precision, recall and F1 of counts."""
    return {
        "precision": true_positive / max(1, true_positive + false_positive),
        "recall": true_positive / max(1, true_positive + false_negative),
        "f1": 2 * true_positive / max(1, 2 * true_positive + false_positive + false_negative),
        "true_positive": true_positive,
        "false_positive": false_positive,
        "false_negative": false_negative,
    }


def concept_span(sentence: str, concept: str) -> tuple[int, int]:
    """Find the concept, in capitals in the sentence; where the sentence was cut, as many of its words as are there."""
    words = concept.upper().split()
    for count in range(len(words), 0, -1):
        match = re.search(r"\s+".join(map(re.escape, words[:count])), sentence)
        if match and 2 * count >= len(words):
            return match.span()
    pattern = r"\s+".join(map(re.escape, words))
    match = re.search(pattern, sentence, re.IGNORECASE) or re.search(re.escape(words[-1]), sentence)
    return match.span() if match else (0, len(sentence))


def read_negex(path: Path) -> dict[str, float]:
    """Measure negation of concepts in clinical sentences."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    counts: Counter[tuple[bool, bool]] = Counter()
    for row in rows:
        state = classify(row["sentence"], concept_span(row["sentence"], row["Condition"]))
        negated = row["negation_status (negated, affirmed, possible)"] == "Negated"
        counts[negated, state in (Assertion.ABSENT, Assertion.HISTORICAL)] += 1
    return scores(counts[True, True], counts[False, True], counts[True, False])


def sentences_of(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of a text."""
    yield from split_sentences(text)[0]


def read_findings(path: Path) -> dict[str, Any]:
    """Measure findings asserted present by keyword, and the same with other ways to count a mention."""
    patterns = {
        name: re.compile(r"\b(?:" + "|".join(words) + r")\b", re.IGNORECASE)
        for name, words in json.loads(KEYWORDS.read_text(encoding="utf-8")).items()
    }
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ways: dict[str, Callable[[set[Assertion]], bool]] = {
        "present": lambda states: Assertion.PRESENT in states,
        "present or uncertain": lambda states: bool(states & {Assertion.PRESENT, Assertion.UNCERTAIN}),
        "any mention": bool,
    }
    counts: dict[str, Counter[tuple[str, bool, bool]]] = {way: Counter() for way in ways}
    for row in rows:
        sentences = [row["report_text"][start:end] for start, end in sentences_of(row["report_text"])]
        for name, pattern in patterns.items():
            states = {classify(s, m.span()) for s in sentences for m in pattern.finditer(s)}
            for way, predicted in ways.items():
                counts[way][name, row[name] == "1", predicted(states)] += 1

    def micro(way: str, names: Iterable[str]) -> dict[str, float]:
        found = [
            [counts[way][name, gold, there] for gold, there in ((True, True), (False, True), (True, False))]
            for name in names
        ]
        return scores(*(sum(column) for column in zip(*found, strict=True)))

    single = {name: micro("present", [name]) for name in patterns}
    ranked = sorted(patterns, key=lambda name: single[name]["f1"])
    return {
        "findings": single,
        "left out": ranked[:LEFT_OUT],
        **{f"micro of 18, {way}": micro(way, patterns) for way in ways},
        **{f"micro of 14, {way}": micro(way, ranked[LEFT_OUT:]) for way in ways},
    }


def read_mentions(path: Path, reports: Path) -> dict[str, Any]:
    """Measure the states of hand-labelled mentions."""
    with gzip.open(reports, "rt", encoding="utf-8", newline="") as file:
        texts = {row["VolumeName"]: row for row in csv.DictReader(file)}
    with path.open(encoding="utf-8", newline="") as file:
        mentions = list(csv.DictReader(file))
    counts: Counter[tuple[str, str]] = Counter()
    for mention in mentions:
        text, start, end = texts[mention["report"]][mention["column"]], int(mention["start"]), int(mention["end"])
        first, last = next(span for span in sentences_of(text) if span[0] <= start < span[1])
        state = classify(text[first:last], (start - first, min(end, last) - first))
        counts[mention["label"], state.name.lower()] += 1
    labels = [state.name.lower() for state in Assertion]
    return {
        "mentions": len(mentions),
        "accuracy": sum(counts[label, label] for label in labels) / len(mentions),
        "recall": {
            label: counts[label, label] / max(1, sum(counts[label, other] for other in labels)) for label in labels
        },
        "confusion": {f"{gold} read as {found}": count for (gold, found), count in sorted(counts.items())},
    }


def read_speed(path: Path) -> dict[str, float]:
    """Measure the time for states and clauses of all sentences."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reports = [f"{row['Findings_EN']}\n{row['Impressions_EN']}" for row in csv.DictReader(file)]
    sentences = [[report[start:end] for start, end in sentences_of(report)] for report in reports]
    classify("warm")
    read_assertions.cache_clear()
    begin = time.process_time()
    clauses = sum(len(split_clauses(s)) for report in sentences for s in report if classify(s) in Assertion)
    spent = time.process_time() - begin
    total = sum(map(len, sentences))
    return {
        "reports": len(reports),
        "sentences": total,
        "clauses": clauses,
        "ms per report, assertion and clauses": 1000 * spent / len(reports),
    }


def measure(data: Path, mentions: Path | None = None) -> dict[str, Any]:
    """Measure states of findings.

    Args:
        data: Folder with ``negation/`` and ``reports/``.
        mentions: Hand-labelled mentions in reports, if they are to be measured.
    """
    figures: dict[str, Any] = {
        "negex": read_negex(data / NEGEX),
        "findings": read_findings(data / FINDINGS),
        "speed": read_speed(data / REPORTS),
    }
    return figures if mentions is None else figures | {"mentions": read_mentions(mentions, data / REPORTS)}
