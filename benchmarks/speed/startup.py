"""How long commands, imports and banks take to start, and how many parameters are trained with a frozen backbone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from nnunet_reportseg.training.presets import ReportGuidedTrainer_AdaptersOnly
from speed.planned import ARCHITECTURES, guided_network
from text_conditioning.bank import build_bank

REPORTS, SENTENCES_OF_A_REPORT = 25_000, 8  # of its own each; real reports share more than half of theirs
DIM = 384
CHUNK = 20_000

_OPEN = """
import sys, time
from pathlib import Path
from text_conditioning.bank import EmbeddingBank
def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
before, start = resident(), time.perf_counter()
bank = EmbeddingBank.open(Path(sys.argv[1]), sys.argv[2])
seconds = time.perf_counter() - start
print(seconds, (resident() - before) / 1024)
"""


class _RandomEncoder:
    """Vectors of the right size, whatever the sentence."""

    name = pooling = "random"
    fingerprint = "0" * 16
    dim = DIM

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        return np.random.default_rng(0).standard_normal((len(sentences), DIM)).astype(np.float16)


def measure(repeats: int) -> dict[str, Any]:
    """Seconds of ``--help`` and of the import of the reader; opening a large bank in a fresh process; parameters."""
    with tempfile.TemporaryDirectory() as folder:
        sentences = (f"Sentence {number}." for number in range(REPORTS * SENTENCES_OF_A_REPORT))
        build_bank(Path(folder), _RandomEncoder(), sentences, chunk_size=CHUNK)
        opened = [_python(_OPEN, folder, _RandomEncoder.fingerprint) for _ in range(repeats)]
    adapters_only = asdict(ReportGuidedTrainer_AdaptersOnly.adapter)
    timed = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
    reportseg = Path(sys.executable).with_name("reportseg")
    run_help = f"import subprocess; subprocess.run([{str(reportseg)!r}, '--help'], capture_output=True, check=True)"
    return {
        "help_seconds": round(median(_python(timed.format(run_help))[0] for _ in range(repeats)), 3),
        "import_reader_seconds": round(
            median(_python(timed.format("import text_conditioning.reports"))[0] for _ in range(repeats)), 3
        ),
        "bank_sentences": REPORTS * SENTENCES_OF_A_REPORT,
        "bank_open_seconds": round(median(found[0] for found in opened), 3),
        "bank_open_mib": round(median(found[1] for found in opened), 1),
        "adapters_only_parameters": {
            name: sum(p.numel() for p in guided_network(name, **adapters_only).report_adapter.parameters())
            for name in ARCHITECTURES
        },
    }


def _python(code: str, *arguments: str) -> list[float]:
    """The numbers that a fresh Python prints."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()]
