"""Every sentence of the generators can be read: by the report parser, the assertion rules and the laterality rules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nnunet_reportseg.data import implants_wording, phantom_wording
from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.report_writer import Wording, choose_described, write_report
from nnunet_reportseg.data.sites import SITE_PHRASES, SITES, Site
from tests.data.reading import site_of_sentence
from text_conditioning.assertion import Assertion, classify
from text_conditioning.laterality import Laterality, tag
from text_conditioning.reports import parse_report

WORDINGS = {
    "phantom training": phantom_wording.TRAINING_WORDING,
    "phantom test": phantom_wording.TEST_WORDING,
    "implants training": implants_wording.TRAINING_WORDING,
    "implants test": implants_wording.TEST_WORDING,
}
WORDS = {"size": "12 mm", "texture": "part-solid", "margin": "ill-defined"}
every_wording = pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS.keys())


def filled(templates: tuple[str, ...]) -> list[tuple[str, Site]]:
    return [
        (template.format(site=phrase.format(side=site.side, level=site.level), **WORDS), site)
        for template, phrase, site in itertools.product(templates, SITE_PHRASES, SITES)
    ]


@every_wording
def test_findings_are_read_as_present_on_the_right_side(wording: Wording) -> None:
    for sentence, site in filled(wording.positives):
        assert classify(sentence) is Assertion.PRESENT, sentence
        assert tag(sentence) is Laterality[site.side.upper()], sentence
        assert site_of_sentence(sentence) == (site.side, site.level)


@every_wording
def test_denials_are_read_as_absent(wording: Wording) -> None:
    for sentence, site in filled(wording.denials):
        assert classify(sentence) is Assertion.ABSENT, sentence
        assert site_of_sentence(sentence) == (site.side, site.level)


@every_wording
def test_fillers_name_no_site(wording: Wording) -> None:
    assert [filler for filler in wording.fillers if site_of_sentence(filler)] == []


@every_wording
def test_reports_split_into_the_sentences_they_were_made_of(wording: Wording) -> None:
    lesions = [Lesion(i, site, (0, 0, 0), 30, WORDS) for i, site in enumerate(SITES, start=1)]
    styles = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        draft = write_report(choose_described(lesions, rng, everything=seed % 2 == 0), wording, rng)
        sentences = [sentence.text for sentence in parse_report(draft.text).sentences]
        assert [s for s in sentences if s in draft.sentences] == list(draft.sentences)
        styles.add((draft.text.startswith("FINDINGS:"), "IMPRESSION:" in draft.text))
    assert styles == {(False, False), (True, False), (True, True)}


def test_a_random_subset_leaves_a_lesion_out_and_is_never_empty() -> None:
    lesions = [Lesion(i, site, (0, 0, 0), 30) for i, site in enumerate(SITES, start=1)]
    sizes = {len(choose_described(lesions, np.random.default_rng(seed), everything=False)) for seed in range(60)}
    assert sizes == {1, 2, 3}


@pytest.mark.parametrize("kind", ["phantom", "implants"])
def test_training_and_test_wordings_are_disjoint(kind: str) -> None:
    training, test = WORDINGS[f"{kind} training"], WORDINGS[f"{kind} test"]
    for field in ("positives", "denials", "fillers"):
        assert not set(getattr(training, field)) & set(getattr(test, field))
