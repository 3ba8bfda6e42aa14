"""Writes templated reports that name lesions by their place, and deny or omit the other places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data.draft_report import DraftReport, Statement, assemble, capitalised, pick
from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.sites import SITE_PHRASES, SITES, Site


@dataclass(frozen=True)
class Wording:
    """The sentences one split may use. Splits use disjoint wordings, so that a test report is never a known one.

    Attributes:
        positives: Templates of a finding, with ``{site}`` and the placeholders of ``Lesion.words``.
        denials: Templates that deny a finding at ``{site}``.
        fillers: Sentences about anything but the findings.
        phrases: Templates of a site with ``{side}`` and, where it matters, ``{level}``; they read well after "the".
    """

    positives: tuple[str, ...]
    denials: tuple[str, ...]
    fillers: tuple[str, ...]
    phrases: tuple[str, ...] = SITE_PHRASES


def choose_described(lesions: Sequence[Lesion], rng: np.random.Generator, *, everything: bool) -> tuple[Lesion, ...]:
    """All lesions, or a random non-empty subset that leaves at least one lesion out."""
    if everything or len(lesions) == 1:
        return tuple(lesions)
    count = int(rng.integers(1, len(lesions)))
    chosen = sorted(rng.choice(len(lesions), size=count, replace=False))
    return tuple(lesions[i] for i in chosen)


def write_report(
    described: Sequence[Lesion], wording: Wording, rng: np.random.Generator, *, places: Sequence[Site] = SITES
) -> DraftReport:
    """Describe the given lesions, deny about half of the other places (with a lesion or empty), omit the rest."""
    statements = [Statement(describe(lesion.site, wording, rng, lesion.words), lesion) for lesion in described]
    taken = {lesion.site for lesion in described}
    denied = [site for site in places if site not in taken and rng.random() < 0.5]
    statements += [Statement(deny(site, wording, rng), denies=site) for site in denied]
    return assemble(statements, wording.fillers, rng)


def describe(site: Site, wording: Wording, rng: np.random.Generator, words: Mapping[str, str] | None = None) -> str:
    """A sentence about a finding at this site; ``words`` fill the other placeholders."""
    template = pick(wording.positives, rng)
    return capitalised(template.format(site=_phrase(site, wording, rng), **(words or {})))


def deny(site: Site, wording: Wording, rng: np.random.Generator) -> str:
    """A sentence that denies a finding at this site."""
    return pick(wording.denials, rng).format(site=_phrase(site, wording, rng))


def _phrase(site: Site, wording: Wording, rng: np.random.Generator) -> str:
    return pick(wording.phrases, rng).format(side=site.side, level=site.level)
