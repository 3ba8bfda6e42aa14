"""Reports of the task "findings": each finding in one sentence, and what is not there is asked for in equal words."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.case_reports import read_case_reports
from nnunet_reportseg.data import phantom_wording
from nnunet_reportseg.data.draft_report import capitalised
from nnunet_reportseg.data.finding_kinds import EVERYTHING, Kind
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.data.phantom_findings_reports import TEST_WORDING, TRAINING_WORDING
from nnunet_reportseg.data.sites import SITE_PHRASES
from nnunet_reportseg.sidecar import Sidecar
from nnunet_reportseg.told_apart import told_apart
from tests.data.reading import Dataset, site_of_sentence
from text_conditioning.assertion import Assertion
from text_conditioning.laterality import Laterality
from text_conditioning.reports import Sentence, parse_report

WORDS = {"nodule": "nodule", "ground-glass": "opacity"}
Thing = tuple[str, str, str]
ALL = {(thing.kind.value, thing.site.side, thing.site.level) for thing in EVERYTHING}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    raw = tmp_path_factory.mktemp("raw")
    return Dataset(write_phantom(raw, task="findings", num_training=24, num_test_volumes=12, seed=2))


def manifest(dataset: Dataset) -> dict:
    return dataset.json("phantom.json")


def thing(record: dict) -> Thing:
    return record["kind"], record["side"], record["level"]


def named(sentence: str) -> Thing:
    (kind,) = (kind for word, kind in WORDS.items() if word in sentence.lower())
    site = site_of_sentence(sentence)
    assert site is not None
    return kind, *site


def there(dataset: Dataset, case: str) -> dict[Thing, dict]:
    return {thing(record): record for record in manifest(dataset)["volumes"][case]["findings"]}


def denied_by(report: str) -> set[Thing]:
    sentences = [s for s in parse_report(report).sentences if s.assertion is Assertion.ABSENT]
    return {named(s.text) for s in sentences if s.laterality is not Laterality.NONE}


def sentences(kind: Kind, split: str) -> list[Sentence]:
    """Every wording of a finding in the left upper lobe."""
    wording = (TRAINING_WORDING if split == "training" else TEST_WORDING)[kind]
    places = [phrase.format(side="left", level="upper") for phrase in wording.phrases]
    texts = [capitalised(t.format(site=place)) for t, place in itertools.product(wording.positives, places)]
    return [parse_report(text).statements[0] for text in texts]


def test_half_of_the_training_reports_describe_everything_and_none_denies_what_is_there(dataset: Dataset) -> None:
    whole, denied, lacking = [], 0, 0
    for case, entry in dataset.training_cases.items():
        records = there(dataset, case)
        described = {named(finding["text"]) for finding in entry["findings"]}
        assert described == {name for name, record in records.items() if record["values"]}
        assert described
        whole.append(described == set(records))
        absent = denied_by(entry["report"])
        assert absent == {thing(record) for record in manifest(dataset)["volumes"][case]["denied"]}
        assert absent <= ALL - set(records)
        denied, lacking = denied + len(absent), lacking + len(ALL - set(records))
    assert whole == [True, False] * 12
    assert 0.35 < denied / lacking < 0.65


def test_each_described_finding_is_one_sentence_of_its_own(dataset: Dataset) -> None:
    for name in ("reports.json", "imagesTs/reports.json"):
        sidecar = Sidecar.load(dataset.folder / name)
        for case, report in read_case_reports(sidecar, list(sidecar.case_ids)).items():
            texts = {finding.id: finding.text for finding in sidecar.findings(case)}
            for finding in report.findings:
                assert [report.sentences[i].text for i in finding.sentences] == [texts[finding.finding_id]]
                assert sidecar.report_text(case).count(texts[finding.finding_id]) == 1


def test_a_test_case_describes_everything_and_lists_everything_that_is_not_there(dataset: Dataset) -> None:
    assert set(dataset.test_cases) == set(manifest(dataset)["test_cases"]) == {f"test_{i:03d}" for i in range(12)}
    seen = []
    for case, entry in dataset.test_cases.items():
        records = there(dataset, case)
        shown = {named(f["text"]) for f in entry["findings"] if f["label_values"]}
        missing = {f["id"]: named(f["text"]) for f in entry["findings"] if not f["label_values"]}
        assert shown == set(records)
        assert sorted(missing.values()) == sorted(ALL - shown)
        assert len(missing) >= 2
        absent = manifest(dataset)["test_cases"][case]["absent"]
        assert {record["id"]: thing(record) for record in absent} == missing
        denied = denied_by(entry["report"])
        assert denied == {thing(record) for record in absent if record["denied"]}
        assert {record["denied"] for record in absent} == {True, False}
        for record in absent:
            kind, *site = thing(record)
            assert record["other_kind_there"] == any(other[1:] == tuple(site) for other in shown)
            assert record["same_kind_elsewhere"] == any(other[0] == kind for other in shown)
        seen += absent
    assert any(record["other_kind_there"] for record in seen)
    assert any(record["same_kind_elsewhere"] and not record["other_kind_there"] for record in seen)


def test_absent_findings_are_affirmed_in_the_words_of_present_ones_and_have_no_voxels(dataset: Dataset) -> None:
    for case, entry in dataset.test_cases.items():
        label = sitk.GetArrayFromImage(dataset.image(f"labelsTs/{case}.nii.gz"))
        listed = {v for finding in entry["findings"] for v in finding["label_values"]}
        assert set(np.unique(label)) - {0} == listed
        for finding in entry["findings"]:
            (words,) = parse_report(finding["text"]).statements
            assert words.assertion is Assertion.PRESENT
            pattern = finding["text"].lower()
            kind = Kind(named(finding["text"])[0])
            made = (
                t.format(site=phrase.format(side=words.laterality.name.lower(), level=named(finding["text"])[2]))
                for t, phrase in itertools.product(TEST_WORDING[kind].positives, SITE_PHRASES)
            )
            assert pattern in {text.lower() for text in made}
            assert (finding["text"] in entry["report"]) == bool(finding["label_values"])


def test_training_and_test_share_no_wording(dataset: Dataset) -> None:
    for kind in Kind:
        for field in ("positives", "denials", "fillers"):
            assert not set(getattr(TRAINING_WORDING[kind], field)) & set(getattr(TEST_WORDING[kind], field))
        assert len(set(TRAINING_WORDING[kind].positives)) == len(phantom_wording.TRAINING_WORDING.positives)
        assert len(set(TEST_WORDING[kind].positives)) == len(phantom_wording.TEST_WORDING.positives)
    training = {s for entry in dataset.training_cases.values() for s in dataset.sentences(entry)}
    test = {s for entry in dataset.test_cases.values() for s in dataset.sentences(entry)}
    test |= {finding["text"] for entry in dataset.test_cases.values() for finding in entry["findings"]}
    assert len(training) > 60
    assert not training & test


@pytest.mark.parametrize("split", ["training", "test"])
@pytest.mark.parametrize("kind", list(Kind))
def test_sentences_are_read_as_they_are_meant(kind: Kind, split: str) -> None:
    for sentence in sentences(kind, split):
        assert (sentence.assertion, sentence.laterality) == (Assertion.PRESENT, Laterality.LEFT), sentence.text
        assert named(sentence.text)[0] == kind.value
    wording = (TRAINING_WORDING if split == "training" else TEST_WORDING)[kind]
    for denial, phrase in itertools.product(wording.denials, wording.phrases):
        (read,) = parse_report(denial.format(site=phrase.format(side="right", level="lower"))).statements
        assert (read.assertion, read.laterality) == (Assertion.ABSENT, Laterality.RIGHT), read.text
        assert named(read.text)[0] == kind.value


@pytest.mark.parametrize("split", ["training", "test"])
def test_two_wordings_of_a_finding_are_never_told_apart_and_those_of_two_kinds_mostly_are(split: str) -> None:
    nodules, opacities = (sentences(kind, split) for kind in Kind)
    for same in (nodules, opacities):
        assert not any(told_apart(one, other) for one, other in itertools.combinations(same, 2))
    apart = [told_apart(nodule, opacity) for nodule, opacity in itertools.product(nodules, opacities)]
    assert np.mean(apart) > 0.8
