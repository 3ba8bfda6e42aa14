"""The sentences of each task are read as they are meant, in both wordings, and the two wordings share none."""

from __future__ import annotations

import itertools
from dataclasses import fields
from types import ModuleType

import numpy as np
import pytest

from nnunet_reportseg.case_reports import read_case_report
from nnunet_reportseg.data import phantom_laterality_reports as laterality
from nnunet_reportseg.data import phantom_negation_reports as negation
from nnunet_reportseg.data import phantom_size_reports as size
from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.paired_records import case_entry
from nnunet_reportseg.data.phantom_styles import style_of
from nnunet_reportseg.data.phantom_task import PhantomTask
from nnunet_reportseg.data.sites import Site
from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.assertion import Assertion, classify
from text_conditioning.laterality import Laterality, tag

SIDES = ("left", "right")
MODULES = {"laterality": laterality, "size": size, "negation": negation}
every_task = pytest.mark.parametrize("module", MODULES.values(), ids=MODULES.keys())
both_wordings = pytest.mark.parametrize("split", ["TRAINING_WORDING", "TEST_WORDING"])


def two_lesions() -> tuple[Lesion, ...]:
    return tuple(
        Lesion(value, Site(side, "upper"), (0, 0, 0), 30, {"size": rank, "diameter": f"{10 * value} mm"})
        for value, side, rank in ((1, "left", "small"), (2, "right", "large"))
    )


@every_task
def test_training_and_test_wordings_are_large_enough_and_disjoint(module: ModuleType) -> None:
    training, test = module.TRAINING_WORDING, module.TEST_WORDING
    for field in {field.name for field in fields(training)} - {"phrases"}:
        assert not set(getattr(training, field)) & set(getattr(test, field))
    for field in ("positives",) if module is not negation else ("persisting", "resolved"):
        assert len(getattr(training, field)) >= 6
        assert len(getattr(test, field)) >= 4


@both_wordings
def test_negations_are_read_as_absent_and_persisting_nodules_as_present(split: str) -> None:
    wording = getattr(negation, split)
    for phrase, side in itertools.product(negation.NODULE_PHRASES, SIDES):
        nodule = phrase.format(side=side)
        for template in wording.persisting:
            assert classify(template.format(nodule=nodule)) is Assertion.PRESENT, template
        for template in wording.resolved:
            assert classify(template.format(nodule=nodule)) in (Assertion.ABSENT, Assertion.HISTORICAL), template
        for template in (*wording.persisting, *wording.resolved):
            assert tag(template.format(nodule=nodule)) is Laterality[side.upper()], template


@both_wordings
def test_sides_are_read_from_the_phrases_without_a_level(split: str) -> None:
    wording = getattr(laterality, split)
    for phrase, side in itertools.product(wording.phrases, SIDES):
        for template, state in (
            *((positive, Assertion.PRESENT) for positive in wording.positives),
            *((denial, Assertion.ABSENT) for denial in wording.denials),
        ):
            sentence = template.format(site=phrase.format(side=side))
            assert (classify(sentence), tag(sentence)) == (state, Laterality[side.upper()]), sentence


@both_wordings
def test_sizes_are_read_as_present_and_further_nodules_as_absent(split: str) -> None:
    wording = getattr(size, split)
    for template, rank in itertools.product(wording.positives, itertools.chain(*size.RANKS.values())):
        sentence = template.format(rank=rank, diameter="21 mm")
        assert (classify(sentence), tag(sentence)) == (Assertion.PRESENT, Laterality.NONE), sentence
    assert {classify(denial) for denial in wording.denials} == {Assertion.ABSENT}


@pytest.mark.parametrize("task", [task for task in PhantomTask if task is not PhantomTask.FINDINGS])
def test_each_finding_is_one_sentence_of_its_own(task: PhantomTask) -> None:
    style, lesions = style_of(task), two_lesions()
    for index in range(24):
        rng = np.random.default_rng(index)
        for report in (style.training_report(lesions, index, rng), style.test(lesions[:1], lesions, rng)):
            sidecar = Sidecar.from_cases({"case": case_entry(report)})
            read = read_case_report(sidecar, "case")
            decisive = [s.text for s in report.statements if s.lesion is not None or s.denies is not None]
            assert [s.text for s in read.sentences if s.text in decisive] == decisive  # fillers may have several parts
            assert [len(finding.sentences) for finding in read.findings] == [1] * len(report.described)
            said = [read.sentences[finding.sentences[0]].text for finding in read.findings]
            assert said == list(report.sentences)
