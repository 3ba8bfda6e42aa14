"""Writes templated reports that describe some lesions of a volume and deny or omit the others.

Each described lesion is named in exactly one sentence, so that dropping this sentence drops the finding. Headings
vary: none, FINDINGS only, or FINDINGS and IMPRESSION.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.sites import SITE_PHRASES, SITES, Site


@dataclass(frozen=True)
class Wording:
    """The sentences one split may use. Splits use disjoint wordings, so that a test report is never a known one.

    Attributes:
        positives: Templates of a finding, with ``{site}`` and the placeholders of ``Lesion.words``.
        denials: Templates that deny a finding at ``{site}``.
        fillers: Sentences about anything but the findings.
    """

    positives: tuple[str, ...]
    denials: tuple[str, ...]
    fillers: tuple[str, ...]


@dataclass(frozen=True)
class DraftReport:
    """A written report.

    Attributes:
        text: The whole report.
        described: The described lesions in the order in which the report names them.
        sentences: The sentence of each described lesion.
    """

    text: str
    described: tuple[Lesion, ...]
    sentences: tuple[str, ...]


def choose_described(lesions: Sequence[Lesion], rng: np.random.Generator, *, everything: bool) -> tuple[Lesion, ...]:
    """All lesions, or a random non-empty subset that leaves at least one lesion out."""
    if everything or len(lesions) == 1:
        return tuple(lesions)
    count = int(rng.integers(1, len(lesions)))
    chosen = sorted(rng.choice(len(lesions), size=count, replace=False))
    return tuple(lesions[i] for i in chosen)


def write_report(described: Sequence[Lesion], wording: Wording, rng: np.random.Generator) -> DraftReport:
    """Describe the given lesions, deny about half of the other sites (with a lesion or empty), omit the rest."""
    items: list[tuple[str, Lesion | None]] = [(_describe(lesion, wording, rng), lesion) for lesion in described]
    taken = {lesion.site for lesion in described}
    denied = [site for site in SITES if site not in taken and rng.random() < 0.5]
    items += [(_pick(wording.denials, rng).format(site=_phrase(site, rng)), None) for site in denied]
    fillers = rng.choice(len(wording.fillers), size=min(int(rng.integers(2, 6)), len(wording.fillers)), replace=False)
    items += [(wording.fillers[i], None) for i in fillers]
    items = [items[i] for i in rng.permutation(len(items))]
    named = [(text, lesion) for text, lesion in items if lesion is not None]
    return DraftReport(
        text=_with_headings([text for text, _ in items], rng),
        described=tuple(lesion for _, lesion in named),
        sentences=tuple(text for text, _ in named),
    )


def _describe(lesion: Lesion, wording: Wording, rng: np.random.Generator) -> str:
    sentence = _pick(wording.positives, rng).format(site=_phrase(lesion.site, rng), **lesion.words)
    return sentence[0].upper() + sentence[1:]


def _phrase(site: Site, rng: np.random.Generator) -> str:
    return _pick(SITE_PHRASES, rng).format(side=site.side, level=site.level)


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def _with_headings(sentences: Sequence[str], rng: np.random.Generator) -> str:
    style = int(rng.integers(3))
    if style == 0:
        return " ".join(sentences)
    if style == 1 or len(sentences) < 2:
        return "FINDINGS: " + " ".join(sentences)
    cut = int(rng.integers(max(1, len(sentences) - 2), len(sentences)))
    return "FINDINGS: " + " ".join(sentences[:cut]) + "\nIMPRESSION: " + " ".join(sentences[cut:])
