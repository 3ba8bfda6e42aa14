"""What a sample is seen with of its report: findings decide, everything else may come and go."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nnunet_reportseg.case_reports import read_case_report
from nnunet_reportseg.report_twins import with_twins
from nnunet_reportseg.sidecar import Sidecar
from nnunet_reportseg.training.sampled_reports import MOST_DISTRACTORS, ReportSampling, negatives_of, sampled_report
from text_conditioning.assertion import Assertion
from text_conditioning.laterality import Laterality

FINDINGS = ("Nodule 3 in the left lung.", "Nodule 5 in the right lung.")
NORMAL = ("The heart is normal.", "No pleural effusion.", "The bones are intact.")


def read(*sentences, findings=FINDINGS):
    listed = [{"id": str(i), "text": t, "label_values": [i + 1]} for i, t in enumerate(findings)]
    return read_case_report(Sidecar.from_cases({"a": {"report": " ".join(sentences), "findings": listed}}), "a")


REPORT = read(NORMAL[0], FINDINGS[0], NORMAL[1], FINDINGS[1])
FILLERS = read(*NORMAL, "The airways are patent.", findings=()).sentences


def sample(sampling, *, kept=(True, True), without_report=False, mirrored=False):
    return sampled_report(REPORT, kept=kept, without_report=without_report, mirrored=mirrored, sampling=sampling)


def said(report, finding):
    return [report.sentences[i].text for i in report.findings[finding].sentences]


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def test_without_variation_the_report_stays():
    assert sample(ReportSampling()) == REPORT


def test_sentence_dropout_takes_only_what_belongs_to_no_finding():
    lengths = set()
    for _ in range(30):
        report = sample(ReportSampling(sentence_dropout=0.5))
        assert said(report, 0) == [FINDINGS[0]]
        assert said(report, 1) == [FINDINGS[1]]
        lengths.add(len(report.sentences))
    assert lengths == {2, 3, 4}


def test_distractors_come_on_top_once_each_and_belong_to_no_finding():
    lengths = set()
    for _ in range(30):
        report = sample(ReportSampling(distractors=1.0, fillers=FILLERS))
        texts = [sentence.text for sentence in report.sentences]
        assert texts[:4] == [sentence.text for sentence in REPORT.sentences]
        assert len(texts) == len(set(texts))
        assert len(texts) <= 4 + MOST_DISTRACTORS
        assert [said(report, 0), said(report, 1)] == [[FINDINGS[0]], [FINDINGS[1]]]
        lengths.add(len(texts))
    assert len(lengths) > 1
    assert max(lengths) == 4 + 2  # two of the four fillers stand in the report already


def test_a_finding_that_is_left_out_is_denied_and_one_that_stays_is_not():
    report = sample(ReportSampling(denial=1.0), kept=(False, True))
    texts = [sentence.text for sentence in report.sentences]
    assert FINDINGS[0] not in texts
    (denial,) = [s for s in report.sentences if "odule 3" in s.text]
    assert denial.assertion is Assertion.ABSENT
    assert denial.laterality is Laterality.LEFT
    assert said(report, 1) == [FINDINGS[1]]
    mirrored = sample(ReportSampling(denial=1.0), kept=(False, True), mirrored=True)
    assert [s.laterality.name for s in mirrored.sentences if "odule 3" in s.text] == ["RIGHT"]
    assert sample(ReportSampling(denial=0.0), kept=(False, True)) == REPORT.part((False, True))


def test_the_bank_is_asked_for_every_twin_that_sampling_may_use():
    texts = {sentence.text for report in with_twins([REPORT], training=True) for sentence in report.sentences}
    for kept, mirrored in itertools.product(itertools.product((True, False), repeat=2), (True, False)):
        used = sample(ReportSampling(denial=1.0), kept=kept, mirrored=mirrored)
        assert {sentence.text for sentence in used.sentences} <= texts
        assert {sentence.text for sentence in negatives_of(used, (), 16).sentences} <= texts


def test_a_dropped_report_gets_no_distractors():
    report = sample(ReportSampling(distractors=1.0, fillers=FILLERS), without_report=True)
    assert report.sentences == ()
    assert [finding.sentences for finding in report.findings] == [(), ()]


def test_everything_together_keeps_the_findings_right():
    sampling = ReportSampling(sentence_dropout=0.5, distractors=1.0, fillers=FILLERS)
    for _ in range(30):
        report = sample(sampling, kept=(False, True), mirrored=True)
        assert report.findings[0].sentences == ()
        assert said(report, 1) == ["Nodule 5 in the left lung."]
        assert "Nodule 3" not in " ".join(sentence.text for sentence in report.sentences)
