"""One-hot "text": the upper limit for a text encoder. Each sentence is coded by what it says about a lesion.

The generators use the same words for side, level and size in all sentences, so these are read off the words. Whether a
sentence says that a lesion is there is taken from the sidecars: of a finding with label values one is there, of a
finding without them none is. Other denials are recognised as the network recognises them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.assertion import Assertion, classify
from text_conditioning.laterality_swap import swap_laterality

ORACLE = "oracle"
WORDS = {
    "left": r"\bleft\b",
    "right": r"\bright\b",
    "upper": r"\bupper\b",
    "lower": r"\blower\b",
    "large": r"\b(?:larger|bigger)\b",
    "small": r"\bsmaller\b",
}
_FIRST_WORD = 3  # after: there, not there, about something else


class OracleEncoder:
    """Fills an embedding bank (text_conditioning.bank.build_bank) with one-hot codes.

    Attributes:
        name: what REPORTSEG_ENCODER chooses it by.
        fingerprint: of the code.
        pooling: as an encoder of words has one.
        dim: length of a code.

    Args:
        present: sentences that say that a lesion is there.
        absent: sentences that say that one is not there.
    """

    name = ORACLE
    fingerprint = hashlib.sha256(b"following.oracle 1").hexdigest()[:16]
    pooling = "mean"
    dim = _FIRST_WORD + len(WORDS)

    def __init__(self, present: Iterable[str], absent: Iterable[str]) -> None:
        self._present = _with_twins(present)
        self._absent = _with_twins(absent)

    @classmethod
    def of(cls, sidecars: Sequence[Sidecar]) -> OracleEncoder:
        """The encoder for sidecars whose findings have label values where, and only where, a lesion is there."""
        findings = [f for sidecar in sidecars for case in sidecar.case_ids for f in sidecar.findings(case)]
        return cls([f.text for f in findings if f.label_values], [f.text for f in findings if not f.label_values])

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float16]:
        """Codes ``(N, dim)``, in the order given."""
        codes = np.zeros((len(sentences), self.dim), dtype=np.float16)
        for code, sentence in zip(codes, sentences, strict=True):
            code[self._state(sentence)] = 1
            for place, pattern in enumerate(WORDS.values(), start=_FIRST_WORD):
                code[place] = re.search(pattern, sentence, re.IGNORECASE) is not None
        return codes

    def _state(self, sentence: str) -> int:
        if sentence in self._present:
            return 0
        not_there = classify(sentence) in (Assertion.ABSENT, Assertion.HISTORICAL)
        return 1 if sentence in self._absent or not_there else 2


def _with_twins(sentences: Iterable[str]) -> set[str]:
    """The sentences, and the same about the other side."""
    known = set(sentences)
    return known | {twin for sentence in known if (twin := swap_laterality(sentence)) is not None}
