"""Embedding real reports: each sentence once, in batches of like length, against one sentence after the other."""

from __future__ import annotations

import csv
import gzip
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from text_conditioning.bank import build_bank
from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.reports import parse_report

ENCODER = "minilm"
REPORTS_ALONE = 40  # of those that are embedded sentence by sentence


def measure(device: torch.device, reports: Path) -> dict[str, Any]:
    """Reports per second both ways, and the seconds of a second run that finds everything done.

    Args:
        device: of the encoder.
        reports: CSV with the columns ``Findings_EN`` and ``Impressions_EN``, gzipped.
    """
    with gzip.open(reports, "rt", encoding="utf-8", newline="") as file:
        texts = [f"FINDINGS: {row['Findings_EN']}\nIMPRESSION: {row['Impressions_EN']}" for row in csv.DictReader(file)]
    sentences = [[statement.text for statement in parse_report(text).statements] for text in texts]
    encoder = FrozenTextEncoder(ENCODER, device=device)
    encoder.encode(["warm"])
    with tempfile.TemporaryDirectory() as folder:
        everything = [sentence for report in sentences for sentence in report]
        first = _seconds(lambda: build_bank(Path(folder), encoder, everything))
        second = _seconds(lambda: build_bank(Path(folder), encoder, everything))
    chosen = sentences[:: max(1, len(sentences) // REPORTS_ALONE)][:REPORTS_ALONE]
    alone = _seconds(lambda: [encoder.encode([sentence]) for report in chosen for sentence in report])
    return {
        "reports": len(texts),
        "sentences": len(everything),
        "unique_sentences": len(set(everything)),
        "reports_per_second": round(len(texts) / first, 1),
        "reports_per_second_alone": round(len(chosen) / alone, 2),
        "embed_speedup": round(len(texts) / first / (len(chosen) / alone), 2),
        "embed_second_run_seconds": round(second, 2),
    }


def _seconds(job: Any) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start
