"""The sentences of `laterality_cases.tsv`, judged by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple


class Case(NamedTuple):
    """A sentence, with braces around what is exchanged."""

    side: str
    action: str
    marked: str

    @property
    def sentence(self) -> str:
        return re.sub("[{}]", "", self.marked)


CASES = [
    Case(*line.split("\t"))
    for line in Path(__file__).with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
