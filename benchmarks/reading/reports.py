"""Sentences, sizes, sides and speed on the 1,564 real chest CT reports of CT-RATE."""

from __future__ import annotations

import csv
import gzip
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from text_conditioning.laterality import Laterality
from text_conditioning.laterality_swap import swap_laterality
from text_conditioning.reports import parse_report

FILE = Path("reports") / "chest_ct_reports_1564.csv.gz"
COLUMNS = ("Findings_EN", "Impressions_EN")


def read_reports(data: Path) -> list[str]:
    """Findings and impression of every report as one text with headings."""
    with gzip.open(data / FILE, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [f"FINDINGS: {row[COLUMNS[0]]}\nIMPRESSION: {row[COLUMNS[1]]}" for row in rows]


def measure_speed(texts: list[str]) -> dict[str, float]:
    """Reports per second of one core's processor time, and seconds of an import in a fresh process."""
    parse_report(texts[0])
    start = time.process_time()
    for text in texts:
        parse_report(text)
    seconds = time.process_time() - start
    code = (
        "import time; start = time.process_time(); import text_conditioning.reports; print(time.process_time() - start)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {"reports_per_second": round(len(texts) / seconds, 1), "import_seconds": round(float(done.stdout), 3)}


def measure_spans(texts: list[str]) -> dict[str, Any]:
    """Whether spans reproduce every text, and how many sentences there are."""
    sentences, lost, longest = 0, 0, 0
    for text in texts:
        report = parse_report(text)
        spans = sorted([*((s.start, s.end) for s in report.sentences), *report.markup])
        position, outside = 0, ""
        for start, end in spans:
            lost += start < position
            outside, position = outside + text[position:start], end
        lost += bool((outside + text[position:]).strip())
        sentences += len(report.sentences)
        longest = max(longest, *(len(s.text) for s in report.sentences))
    return {
        "reports": len(texts),
        "sentences": sentences,
        "reports_with_lost_text": lost,
        "longest_characters": longest,
    }


def measure_exchange(texts: list[str]) -> dict[str, Any]:
    """Sided sentences that refuse the exchange of sides, and those that two exchanges do not give back."""
    memory: dict[str, tuple[bool, bool]] = {}
    counted: Counter[str] = Counter()
    for text in texts:
        refused_here = False
        for sentence in parse_report(text).sentences:
            words = sentence.text
            if words not in memory:
                twin = swap_laterality(words)
                memory[words] = twin is None, twin is not None and swap_laterality(twin) != words
            refused, broken = memory[words]
            sided = sentence.laterality is not Laterality.NONE
            counted.update({"sided": sided, "sided_refused": sided and refused, "not_given_back": broken})
            refused_here |= refused
        counted["reports_with_refusal"] += refused_here
    return {**counted, "part_refused": round(counted["sided_refused"] / counted["sided"], 4)}


def measure(data: Path) -> dict[str, Any]:
    """All of the above."""
    texts = read_reports(data)
    return {"speed": measure_speed(texts), "spans": measure_spans(texts), "exchange": measure_exchange(texts)}
