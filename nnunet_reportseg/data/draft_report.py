"""A report as it is made: statements in random order, headings, and what each statement says of which lesion.

Each described lesion is named in exactly one sentence, so that dropping this sentence drops the finding. Headings
vary: none, FINDINGS only, or FINDINGS and IMPRESSION.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.sites import Site


@dataclass(frozen=True)
class Statement:
    """One sentence of a report.

    Attributes:
        text: The sentence.
        lesion: The lesion that it is about, where it is a finding of the report; None for fillers and bare denials.
        denies: The site at which it says that there is no nodule. With a lesion: this lesion has resolved.
    """

    text: str
    lesion: Lesion | None = None
    denies: Site | None = None


@dataclass(frozen=True)
class DraftReport:
    """A written report.

    Attributes:
        text: The whole report.
        statements: Its sentences in order.
    """

    text: str
    statements: tuple[Statement, ...]

    @property
    def findings(self) -> tuple[Statement, ...]:
        """The sentences about lesions, present or resolved, in order."""
        return tuple(statement for statement in self.statements if statement.lesion is not None)

    @property
    def described(self) -> tuple[Lesion, ...]:
        """The lesions that are there according to the report, in the order in which it names them."""
        return tuple(s.lesion for s in self.statements if s.lesion is not None and s.denies is None)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentence of each described lesion."""
        return tuple(s.text for s in self.statements if s.lesion is not None and s.denies is None)

    @property
    def denied(self) -> tuple[Site, ...]:
        """The sites at which the report says that there is no nodule."""
        return tuple(s.denies for s in self.statements if s.denies is not None)


def assemble(statements: Sequence[Statement], fillers: Sequence[str], rng: np.random.Generator) -> DraftReport:
    """Mix the statements with two to twelve fillers, in random order and under random headings."""
    count = min(int(rng.integers(2, 13)), len(fillers))
    items = [*statements, *(Statement(fillers[i]) for i in rng.choice(len(fillers), size=count, replace=False))]
    items = [items[i] for i in rng.permutation(len(items))]
    return DraftReport(_with_headings([item.text for item in items], rng), tuple(items))


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of the options, each with the same probability."""
    return options[int(rng.integers(len(options)))]


def capitalised(sentence: str) -> str:
    """The sentence with a capital at its start, and nothing else changed."""
    return sentence[0].upper() + sentence[1:]


def _with_headings(sentences: Sequence[str], rng: np.random.Generator) -> str:
    style = int(rng.integers(3))
    if style == 0:
        return " ".join(sentences)
    if style == 1 or len(sentences) < 2:
        return "FINDINGS: " + " ".join(sentences)
    cut = int(rng.integers(max(1, len(sentences) - 2), len(sentences)))
    return "FINDINGS: " + " ".join(sentences[:cut]) + "\nIMPRESSION: " + " ".join(sentences[cut:])
