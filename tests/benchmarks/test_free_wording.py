"""Findings in words that no template has: how they are told, and the page about how they are read."""

from __future__ import annotations

import json
import re
from itertools import chain
from pathlib import Path

import free_wording
import pytest

from following.conditions import FREE, report_key
from following.free_wording import PER_LESION, sentences_by_site, tell
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.data.phantom_wording import TEST_WORDING, TRAINING_WORDING
from nnunet_reportseg.data.sites import SITES
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from text_conditioning.assertion import Assertion
from text_conditioning.reports import parse_report

SENTENCES = sentences_by_site()


@pytest.fixture(scope="module")
def tests_of_sites(tmp_path_factory: pytest.TempPathFactory) -> PairedTestSet:
    raw = tmp_path_factory.mktemp("raw")
    return PairedTestSet(write_phantom(raw, num_training=2, num_test_volumes=3, lesions=(4, 4), seed=0))


def test_there_are_as_many_for_each_site_and_none_is_there_twice() -> None:
    assert sorted(SENTENCES) == sorted(map(str, SITES))
    texts = list(chain(*SENTENCES.values()))
    assert len(set(texts)) == len(texts) == 100
    assert {len(of_site) for of_site in SENTENCES.values()} == {25}


@pytest.mark.parametrize("site", sorted(SENTENCES))
def test_they_are_read_as_what_they_say(site: str) -> None:
    for text in SENTENCES[site]:
        (sentence,) = parse_report(text).sentences
        tags = (sentence.assertion, sentence.laterality.name.lower(), sentence.level.name.lower())
        assert tags == (Assertion.PRESENT, *site.split()), text


def test_none_has_the_words_of_a_template() -> None:
    """Not to the letter, whatever the place."""
    known = [
        re.compile(re.escape(template).replace(re.escape("{site}"), ".*"))
        for wording in (TRAINING_WORDING, TEST_WORDING)
        for template in wording.positives
    ]
    assert [t for t in chain(*SENTENCES.values()) if any(pattern.fullmatch(t) for pattern in known)] == []


def test_each_lesion_is_told_some_times_in_sentences_about_its_site(tests_of_sites: PairedTestSet) -> None:
    told = tell(tests_of_sites, SENTENCES)
    assert sorted(told) == sorted(set(tests_of_sites.volume_of.values()))
    everything = list(chain(*told.values()))
    assert len(everything) == PER_LESION * len(tests_of_sites.described)
    assert len({t.sentence for t in everything}) == len({report_key(t.reading) for t in everything}) == len(everything)
    for t in everything:
        case = t.reading.case
        lesions = {les["value"]: les for les in tests_of_sites.volumes[tests_of_sites.volume_of[case]]["lesions"]}
        lesion = lesions[tests_of_sites.described[case]]
        assert t.sentence in SENTENCES[f"{lesion['side']} {lesion['level']}"]
        assert t.reading.target == case
        assert t.reading.condition == FREE
        said = [sentence.text for sentence in t.reading.report.sentences]
        assert said[1] == t.sentence
        assert {said[0], said[2]} <= set(TEST_WORDING.fillers)


def test_the_page_has_means_over_seeds_and_the_sentences_that_are_read_worst(tmp_path: Path) -> None:
    def run(seed: int, dice: float) -> dict:
        readings = [
            {"case": "a", "sentence": "LUL nodule.", "dice": 1.0, "followed": True},
            {"case": "b", "sentence": "RUL focus.", "dice": dice, "followed": dice > 0.5},
        ]
        return {
            "benchmark": "site", "seed": seed, "dice": (1 + dice) / 2, "follow_rate": 0.75,
            "readings": readings, "dice_templates": 0.99,
        }  # fmt: skip

    files = free_wording.publish([run(0, 0.2), run(1, 0.6)], tmp_path / "docs")
    content, page = json.loads(files[0].read_text()), files[1].read_text()
    assert [len(r["readings"]) for r in content["runs"]] == [2, 2]
    assert "| site | 0 1 | 4 | 0.700 (0.600 to 0.800) | 0.750 (0.750 to 0.750) | 0.990 (0.990 to 0.990) |" in page
    rows = page[page.index("Read worst") :]
    assert rows.index("| site | RUL focus. | 0.40 | 1 of 2 |") < rows.index("| site | LUL nodule. | 1.00 | 2 of 2 |")


def test_without_a_finished_run_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["free_wording.py", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        free_wording.main()
    assert "no output folder of this benchmark" in capsys.readouterr().err
