"""Which sentences belong to which finding, and what is left of a report when findings are left out."""

from __future__ import annotations

import pytest

from nnunet_reportseg.case_reports import CaseFinding, CaseReport, read_case_report, read_case_reports
from nnunet_reportseg.errors import SidecarError
from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.assertion import Assertion
from text_conditioning.reports import Section


def read(report, *findings):
    """Findings are (text, label values)."""
    entries = [
        {"id": str(number), "text": text, "label_values": list(values)}
        for number, (text, values) in enumerate(findings)
    ]
    return read_case_report(Sidecar.from_cases({"a": {"report": report, "findings": entries}}), "a")


def texts(case, indices):
    return [case.sentences[i].text for i in indices]


REPORT = "FINDINGS: 8 mm nodule in the left upper lobe. The heart is normal. IMPRESSION: Nodule. No effusion."


def test_sentences_keep_order_section_and_assertion():
    case = read(REPORT)
    assert [(s.text, s.section, s.assertion) for s in case.sentences][1:] == [
        ("The heart is normal.", Section.FINDINGS, Assertion.PRESENT),
        ("Nodule.", Section.IMPRESSION, Assertion.PRESENT),
        ("No effusion.", Section.IMPRESSION, Assertion.ABSENT),
    ]
    assert case.findings == ()


def test_a_finding_is_linked_to_the_sentence_that_holds_its_text():
    case = read(REPORT, ("8 mm NODULE in the left  upper lobe", [1, 3]))
    assert case.findings[0].finding_id == "0"
    assert case.findings[0].label_values == (1, 3)
    assert texts(case, case.findings[0].sentences)[0] == "8 mm nodule in the left upper lobe."


def test_a_finding_of_two_sentences_is_linked_to_both():
    report = "A nodule in the left lung. It measures 8 mm. No effusion."
    case = read(report, ("A nodule in the left lung. It measures 8 mm.", [1]))
    assert texts(case, case.findings[0].sentences) == ["A nodule in the left lung.", "It measures 8 mm."]


def test_a_finding_that_the_report_does_not_word_brings_its_own_sentence():
    case = read("The heart is normal.", ("8 mm nodule in the left upper lobe", [2]))
    assert [s.text for s in case.sentences] == ["The heart is normal.", "8 mm nodule in the left upper lobe"]
    assert case.findings[0].sentences == (1,)


def test_findings_on_opposite_sides_are_not_mixed_up():
    report = "Nodule in the left upper lobe. Nodule in the right upper lobe."
    case = read(report, ("Nodule in the right upper lobe", [1]), ("Nodule in the left upper lobe", [2]))
    assert [finding.sentences for finding in case.findings] == [(1,), (0,)]


def test_a_short_sentence_is_not_found_inside_a_longer_word():
    case = read("Pleural effusion? No. Nodule in the left lung.", ("Nodule in the left lung", [1]))
    assert texts(case, case.findings[0].sentences) == ["Nodule in the left lung."]


def test_a_finding_without_label_values_keeps_its_sentence_and_cannot_be_left_out():
    case = read("The heart is normal.", ("8 mm nodule in the left upper lobe", []))
    assert len(case.sentences) == 2
    assert case.findings == ()


def test_words_that_a_finding_brought_along_are_no_context_of_what_is_asked_for():
    case = read("The heart is normal.", ("8 mm nodule in the left lung", [2]), ("Right effusion", []))
    assert len(case.sentences) == 3
    asked = case.asking(case.findings[0].words)
    assert [s.text for s in asked.sentences] == ["The heart is normal."]
    assert [s.text for s in asked.asked] == ["8 mm nodule in the left lung"]
    quoted = read("The heart is normal. Nodule.", ("Nodule.", [1]))
    assert quoted.asking(()).sentences == quoted.as_written().sentences == quoted.sentences
    assert quoted.as_written().findings == quoted.findings


def test_a_finding_says_whether_all_its_instances_are_labelled():
    findings = [
        {"id": "1", "text": "Nodules.", "label_values": [1], "exhaustive": False},
        {"id": "2", "text": "Effusion.", "label_values": [2]},
    ]
    sidecar = Sidecar.from_cases({"a": {"report": "Nodules. Effusion.", "findings": findings}})
    assert [finding.exhaustive for finding in read_case_report(sidecar, "a").findings] == [False, True]


def test_a_null_report_has_neither_sentences_nor_findings():
    entry = {"report": None, "findings": [{"id": "1", "text": "Nodule.", "label_values": [1]}]}
    assert read_case_report(Sidecar.from_cases({"a": entry}), "a") == CaseReport("a")


def test_an_unknown_case_is_refused_by_name():
    sidecar = Sidecar.from_cases({"a": {"report": "Nodule."}})
    with pytest.raises(SidecarError, match="case_7"):
        read_case_reports(sidecar, ["a", "case_7"])


def case_with(*sentences_of_findings, count=4):
    sentences = read(" ".join(f"Nodule number {i} is seen." for i in range(count))).sentences
    findings = [CaseFinding(str(i), (i + 1,), own) for i, own in enumerate(sentences_of_findings)]
    return CaseReport("a", sentences, tuple(findings))


@pytest.mark.parametrize(
    ("kept", "left"),
    [((True, True), (0, 1, 2, 3)), ((False, True), (0, 3)), ((True, False), (0, 1, 2)), ((False, False), (0,))],
)
def test_sentences_of_a_left_out_finding_go_and_all_others_stay(kept, left):
    part = case_with((1, 2), (3,)).part(kept)
    assert [sentence.text for sentence in part.sentences] == [f"Nodule number {i} is seen." for i in left]


@pytest.mark.parametrize(
    ("kept", "left"),
    [((True, False), (0, 1, 2)), ((False, True), (0, 2, 3)), ((False, False), (0,)), ((True, True), (0, 1, 2, 3))],
)
def test_a_shared_sentence_stays_as_long_as_one_of_its_findings_does(kept, left):
    part = case_with((1, 2), (2, 3)).part(kept)
    assert [sentence.text for sentence in part.sentences] == [f"Nodule number {i} is seen." for i in left]


def test_a_part_keeps_every_finding_with_its_own_sentences():
    part = case_with((1, 2), (3,)).part((False, True))
    assert [finding.label_values for finding in part.findings] == [(1,), (2,)]
    assert part.findings[0].sentences == ()
    assert [part.sentences[i].text for i in part.findings[1].sentences] == ["Nodule number 3 is seen."]


def _read(report, *findings):
    entry = {"report": report, "findings": [{"id": str(i), "text": f} for i, f in enumerate(findings)]}
    for number, finding in enumerate(entry["findings"]):
        finding["label_values"] = [number + 1]
    return read_case_report(Sidecar.from_cases({"case": entry}), "case")


def test_a_short_sentence_is_not_part_of_every_finding():
    right, left = "The nodule in the right lung is solid.", "A nodule in the left lung is new."
    read = _read(f"Nodule. {right} {left}", right, left)
    assert [finding.sentences for finding in read.findings] == [(1,), (2,)]


def test_a_short_finding_is_not_linked_to_a_denial():
    read = _read("No nodule in the left lung. There is a nodule in the right lung.", "nodule")
    assert read.findings[0].sentences == (1,)


def test_a_report_of_headings_alone_names_the_case():
    with pytest.raises(SidecarError, match="case 'case'"):
        _read("FINDINGS: IMPRESSION:")
