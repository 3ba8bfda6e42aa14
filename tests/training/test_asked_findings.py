"""What is asked for of a report: the words of a finding, or words for something that is not there."""

from __future__ import annotations

import numpy as np
import pytest

from nnunet_reportseg.case_reports import CaseReport, read_case_report
from nnunet_reportseg.sidecar import Sidecar
from nnunet_reportseg.training.asked_findings import AbsentFindings, asked_report, may_mean
from nnunet_reportseg.training.sampled_reports import ReportSampling

LEFT, RIGHT = "Nodule in the left upper lobe.", "Consolidation in the right lower lobe."


def read(report: str, *findings: str) -> CaseReport:
    listed = [{"id": str(i), "text": text, "label_values": [i + 1]} for i, text in enumerate(findings)]
    return read_case_report(Sidecar.from_cases({"a": {"report": report, "findings": listed}}), "a")


REPORT = read(f"The heart is normal. {LEFT} No pleural effusion. {RIGHT}", LEFT, RIGHT)
NOTHING = AbsentFindings(())


@pytest.fixture(autouse=True)
def seed() -> None:
    np.random.seed(0)


def ask(report=REPORT, *, kept=(True, False), without_report=False, mirrored=False, absent=NOTHING, vary=None):
    return asked_report(
        report,
        kept=kept,
        without_report=without_report,
        mirrored=mirrored,
        sampling=vary or ReportSampling(),
        absent=absent,
    )


def texts(sentences) -> list[str]:
    return [sentence.text for sentence in sentences]


def words(*findings: str) -> AbsentFindings:
    return AbsentFindings(tuple(finding.words for finding in read(" ".join(findings), *findings).findings))


def test_the_words_of_the_finding_are_asked_for_and_the_report_is_their_context():
    asked = ask(kept=(False, True))
    assert texts(asked.asked) == [RIGHT]
    assert asked.sentences == REPORT.sentences
    assert [finding.sentences for finding in asked.findings] == [(), (4,)]
    assert asked.read[4].text == RIGHT


def test_without_context_the_words_stand_alone():
    asked = ask(without_report=True)
    assert texts(asked.read) == [LEFT]
    assert asked.findings[0].sentences == (0,)


def test_a_context_that_varies_keeps_the_words():
    fillers = read("The airways are patent. The bones are intact.").sentences
    for _ in range(20):
        asked = ask(vary=ReportSampling(sentence_dropout=0.5, distractors=1.0, fillers=fillers))
        assert texts(asked.asked) == [LEFT]
        assert texts(asked.read[i] for i in asked.findings[0].sentences) == [LEFT]


def test_the_context_is_the_report_without_words_that_only_the_findings_have():
    report = read("The heart is normal.", LEFT, RIGHT)
    asked = ask(report, kept=(True, False))
    assert texts(asked.sentences) == ["The heart is normal."]
    assert [finding.sentences for finding in asked.findings] == [(1,), ()]
    assert asked.read[1].text == LEFT


def test_a_mirrored_patient_is_asked_about_the_other_side():
    asked = ask(mirrored=True)
    assert texts(asked.asked) == ["Nodule in the right upper lobe."]
    assert "Consolidation in the left lower lobe." in texts(asked.sentences)


def test_denials_the_other_side_and_other_cases_ask_for_what_is_not_there():
    absent = words("Emphysema in the left upper lobe.", "Nodule in the left lung.")
    asked = {tuple(texts(ask(kept=(False, False), absent=absent).asked)) for _ in range(200)}
    assert asked == {
        ("No pleural effusion.",),
        ("Nodule in the right upper lobe.",),
        ("Consolidation in the left lower lobe.",),
        ("Emphysema in the left upper lobe.",),
    }


def test_nothing_is_asked_for_where_nothing_is_known_to_be_absent():
    report = read("Nodules in both lungs.", "Nodules in both lungs.")
    asked = ask(report, kept=(False,), absent=words("Nodule in the left lung."))
    assert asked.asked == ()
    assert asked.findings[0].sentences == ()


def test_what_the_report_states_without_voxels_may_be_meant_too():
    report = read(f"{LEFT} Emphysema in the right lung.", LEFT)
    (emphysema,) = words("Emphysema.").others
    (effusion,) = words("Effusion.").others
    assert may_mean(report, emphysema)
    assert not may_mean(report, effusion)
