"""The other forms of the test reports ask for what the manifest says, and differ from the short report as promised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnunet_reportseg.data.implants import write_implants
from nnunet_reportseg.data.long_fillers import LEAST_TOKENS, PARAMETERS, TEMPLATES, count_tokens
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.data.phantom_wording import TEST_WORDING, TRAINING_WORDING
from nnunet_reportseg.sidecar import Sidecar
from tests.data.reading import Dataset
from tests.data.synthetic_ct import write_chest, write_nodules
from text_conditioning.assertion import Assertion
from text_conditioning.reports import parse_report

TELLS = re.compile(
    r"\b(left|right|upper|lower|lobe|nodules?|lesions?|mass|opacity|density|larger|bigger|smaller|resolved)\b", re.I
)
KINDS = ("site", "laterality", "size", "negation", "implants")


@pytest.fixture(scope="module", params=KINDS)
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    raw = tmp_path_factory.mktemp(request.param)
    if request.param != "implants":
        return Dataset(write_phantom(raw, task=request.param, num_training=8, num_test_volumes=3))
    ct, nodules = write_chest(raw / "ct.nii.gz"), write_nodules(raw / "nodules")
    return Dataset(write_implants(raw, volumes=[ct], nodules=nodules, num_training=2, num_test_volumes=2))


def manifest(dataset: Dataset) -> dict:
    (file,) = (name for name in ("phantom.json", "implants.json") if (dataset.folder / name).is_file())
    return dataset.json(file)


def test_every_form_is_a_sidecar_of_the_same_cases(dataset: Dataset) -> None:
    assert set(manifest(dataset)["test_reports"]) == {"seen_wording", "long", "swapped"}
    for form, entry in manifest(dataset)["test_reports"].items():
        assert entry["file"] == f"reportsTs/{form}.json"
        assert set(Sidecar.load(dataset.folder / entry["file"]).case_ids) == set(dataset.test_cases)
        assert set(entry["cases"]) == set(dataset.test_cases)


def test_swapped_is_the_report_of_the_next_sibling(dataset: Dataset) -> None:
    cases, swapped = manifest(dataset)["test_cases"], manifest(dataset)["test_reports"]["swapped"]["cases"]
    entries = dataset.json("reportsTs/swapped.json")["cases"]
    for case, entry in cases.items():
        siblings = [other for other in cases if cases[other]["volume"] == entry["volume"]]
        following = siblings[(siblings.index(case) + 1) % len(siblings)]
        assert swapped[case] == cases[following]
        assert swapped[case]["described"] != entry["described"]
        assert entries[case]["report"] == dataset.test_cases[following]["report"]
        assert all(finding["label_values"] == [] for finding in entries[case]["findings"])


def test_long_is_the_same_report_behind_600_tokens(dataset: Dataset) -> None:
    manifests, entries = manifest(dataset), dataset.json("reportsTs/long.json")["cases"]
    for case, entry in entries.items():
        short = dataset.test_cases[case]
        assert entry["findings"] == short["findings"]
        body = short["report"].removeprefix("FINDINGS: ")
        assert entry["report"].endswith(" " + body)
        filler = entry["report"].removesuffix(" " + body).removeprefix("FINDINGS: ")
        assert count_tokens(filler) >= LEAST_TOKENS == 600
        assert not TELLS.search(filler)
        sentences = [sentence.text for sentence in parse_report(entry["report"]).sentences]
        assert len(set(sentences)) == len(sentences)
        assert sentences[-len(parse_report(body).sentences) :] == [s.text for s in parse_report(body).sentences]
        assert manifests["test_reports"]["long"]["cases"][case] == manifests["test_cases"][case]
    assert len({entry["report"][:200] for entry in entries.values()}) == len(entries)


def test_seen_wording_asks_for_the_same_lesion_in_other_words(dataset: Dataset) -> None:
    manifests, entries = manifest(dataset), dataset.json("reportsTs/seen_wording.json")["cases"]
    held_out = {sentence for entry in dataset.test_cases.values() for sentence in dataset.sentences(entry)}
    for case, entry in entries.items():
        assert not held_out & set(dataset.sentences(entry))
        now, then = manifests["test_reports"]["seen_wording"]["cases"][case], manifests["test_cases"][case]
        assert (now["described"], now["volume"]) == (then["described"], then["volume"])
        assert [f["label_values"] for f in entry["findings"] if f["label_values"]] == [[1]]


def test_denied_sites_are_those_that_the_report_denies(dataset: Dataset) -> None:
    forms = {"imagesTs/reports.json": manifest(dataset)["test_cases"]} | {
        entry["file"]: entry["cases"] for entry in manifest(dataset)["test_reports"].values()
    }
    for file, cases in forms.items():
        for case, entry in dataset.json(file)["cases"].items():
            absent = [
                re.findall(r"\b(left|right|upper|lower)\b", sentence.text)
                for sentence in parse_report(entry["report"]).sentences
                if sentence.assertion in (Assertion.ABSENT, Assertion.HISTORICAL)
            ]
            named = sorted(sorted(words) for words in absent if words)
            denied = [[site["side"], site["level"]] for site in cases[case]["denied"]]
            assert all(set(words) <= set(site) for words, site in zip(named, sorted(map(sorted, denied)), strict=True))
            assert cases[case]["described"] not in [site["value"] for site in cases[case]["denied"]]


def test_long_fillers_are_many_and_no_short_ones() -> None:
    assert len(set(TEMPLATES)) == len(TEMPLATES) >= 80
    assert sum("{" in template for template in TEMPLATES) >= 30
    assert not set(TEMPLATES) & {*TRAINING_WORDING.fillers, *TEST_WORDING.fillers}
    assert all(len(set(options)) == len(options) > 2 for options in PARAMETERS.values())
    assert count_tokens("No 5 mm cyst (T8).") == 8
    words = {name: min(options, key=count_tokens) for name, options in PARAMETERS.items()}
    assert sum(count_tokens(template.format(**words)) for template in TEMPLATES) > LEAST_TOKENS


def test_more_cases_keep_the_first_ones(tmp_path: Path) -> None:
    few, more = (
        Dataset(write_phantom(tmp_path / str(n), num_training=1, num_test_volumes=n)).json("reportsTs/long.json")
        for n in (1, 2)
    )
    assert few["cases"].items() <= more["cases"].items()
