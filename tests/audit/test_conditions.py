"""What each condition makes of hand-written reports, and when it does not apply."""

from __future__ import annotations

import numpy as np
import pytest

from nnunet_reportseg.audit.altered import ORIGINAL, Altered, NotApplicable, Target
from nnunet_reportseg.audit.cases import AuditCase, KnownLesions, Lesion
from nnunet_reportseg.audit.conditions.long import FILLER_TOKENS, count_tokens, draw_filler, long
from nnunet_reportseg.audit.conditions.negated import negated
from nnunet_reportseg.audit.conditions.order import order_permuted
from nnunet_reportseg.audit.conditions.paraphrased import paraphrased, reword
from nnunet_reportseg.audit.conditions.registry import CONDITIONS, alter
from nnunet_reportseg.audit.conditions.shuffled import draw_partners, shuffled
from nnunet_reportseg.audit.conditions.sides import laterality_swapped
from nnunet_reportseg.audit.conditions.sites import site_changed
from nnunet_reportseg.audit.conditions.sizes import change_sizes, size_changed
from nnunet_reportseg.audit.deciding import deciding_sentences
from nnunet_reportseg.audit.voxels import CaseVoxels
from nnunet_reportseg.data.phantom_wording import TEST_WORDING, TRAINING_WORDING
from nnunet_reportseg.data.report_writer import SITE_PHRASES
from tests.audit.stub import LABELS, findings_world, paired_world, report
from text_conditioning.assertion import Assertion, classify
from text_conditioning.denial import deny
from text_conditioning.laterality import tag

LEFT = "There is a nodule in the left upper lobe."


def case_with(text, findings=(), case_id="a", **known):
    return AuditCase(case_id, known.pop("image_id", case_id), (), None, report(case_id, text, findings), **known)


def texts(altered):
    assert isinstance(altered, Altered), altered
    return [sentence.text for sentence in altered.report.sentences]


def finding(text, *values, name="1"):
    return {"id": name, "text": text, "label_values": list(values)}


def test_deciding_sentences_are_those_of_findings_with_values_else_those_that_say_something_is_there():
    text = (
        f"FINDINGS: Heart size is normal. {LEFT} Effusion on the right. No pneumothorax.\nTECHNIQUE: CT with contrast."
    )
    assert deciding_sentences(report("a", text, [finding(LEFT, 1)])) == (1,)
    assert deciding_sentences(report("a", text)) == (1, 2)
    assert deciding_sentences(report("a", "Lungs: Clear apart from a 5 mm nodule in the left lung.")) == (0,)


@pytest.mark.parametrize("template", [*TRAINING_WORDING.positives, *TEST_WORDING.positives])
def test_every_sentence_of_the_phantom_can_be_denied_and_keeps_its_side(template):
    for phrase in SITE_PHRASES:
        sentence = template.format(site=phrase.format(side="right", level="lower"))
        sentence = sentence[0].upper() + sentence[1:]
        denial = deny(sentence)
        assert denial is not None
        assert classify(denial) is Assertion.ABSENT
        assert tag(denial) == tag(sentence)


def test_negated_denies_what_decides_and_nothing_else():
    case = case_with(f"Heart size is normal. {LEFT} Effusion on the right.", [finding(LEFT, 1, 3)])
    made = negated(case)
    assert texts(made) == [
        "Heart size is normal.",
        "There is no nodule in the left upper lobe.",
        "Effusion on the right.",
    ]
    assert made.report.sentences[1].assertion is Assertion.ABSENT
    assert made.target == Target(removed=frozenset({1, 3}))
    assert negated(case_with(LEFT)).target is None
    assert "something is there" in negated(case_with("Heart size is normal.")).reason


def test_removed_values_leave_the_target_and_shared_ones_stay():
    label = np.array([[[0, 1, 2, 3]]])
    voxels = CaseVoxels(label, None, 1.0)
    assert voxels.target(Target(removed=frozenset({1, 3})), LABELS).tolist() == [[[0, 0, 2, 0]]]
    assert voxels.target(ORIGINAL, LABELS) is label
    lesions = CaseVoxels(label, np.array([[[2, 2, 1, 0]]]), 1.0)
    assert lesions.target(Target(lesion=2), LABELS).tolist() == [[[1, 1, 0, 0]]]
    assert not lesions.target(Target(lesion=0), LABELS).any()


def test_sides_are_exchanged_in_all_sentences_and_the_target_is_the_lesion_on_the_other_side():
    known = KnownLesions(
        None,
        1,
        tuple(
            Lesion(n, {"side": s, "level": v}) for n, (s, v) in enumerate([("left", "upper"), ("right", "upper")], 1)
        ),
        ("side", "level"),
    )
    case = case_with(f"{LEFT} No nodule in the right upper lobe.", [finding(LEFT, 1)], lesions=known)
    made = laterality_swapped(case)
    assert texts(made) == ["There is a nodule in the right upper lobe.", "No nodule in the left upper lobe."]
    assert [int(s.laterality) for s in made.report.sentences] == [2, 1]
    assert made.target == Target(lesion=2)
    assert made.described == 2
    alone = KnownLesions(None, 1, (*known.lesions[:1], Lesion(2, {"side": "right", "level": "lower"})), known.named_by)
    made = laterality_swapped(case_with(LEFT, [finding(LEFT, 1)], lesions=alone))
    assert made.target == Target(lesion=0)
    assert made.described is None
    assert laterality_swapped(case_with(LEFT)).target is None


def test_sides_that_cannot_be_exchanged():
    lingula = "There is a nodule in the lingula of the left lung."
    assert "mirror image" in laterality_swapped(case_with(lingula)).reason
    assert "names a side" in laterality_swapped(case_with("There is a nodule in the lung.")).reason
    kept = laterality_swapped(case_with(f"{LEFT} The lingula of the left lung is normal.", [finding(LEFT, 1)]))
    assert texts(kept) == ["There is a nodule in the right upper lobe.", "The lingula of the left lung is normal."]


def test_site_changed_keeps_one_finding_and_its_values():
    right = "There is a mass in the right lower lobe."
    case = case_with(f"{LEFT} {right} Heart size is normal.", [finding(LEFT, 1, 3), finding(right, 2, 3, name="2")])
    seen = set()
    for seed in range(8):
        made = site_changed(case, {}, seed)
        assert made.target.removed == (frozenset({2}) if made.described == 0 else frozenset({1}))
        assert texts(made) == [(LEFT, right)[made.described], "Heart size is normal."]
        seen.add(made.described)
    assert seen == {0, 1}
    assert isinstance(site_changed(case_with(LEFT, [finding(LEFT, 1)]), {}, 0), NotApplicable)


def test_site_changed_is_the_report_of_the_sibling_with_its_lesion():
    cases = {case.case_id: case for case in paired_world(images=1).cases}
    made = site_changed(cases["image_0_r3"], cases, 0)
    assert texts(made) == [s.text for s in cases["image_0_r1"].report.sentences]
    assert made.target == Target(lesion=1)
    assert made.described == 1


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_is_a_derangement_over_images(seed):
    cases = [*paired_world(images=5, per_image=3).cases[:-2], case_with(LEFT, case_id="z")]
    partners = draw_partners(cases, seed)
    assert sorted(p.case_id for p in partners.values()) == sorted(partners) == sorted(c.case_id for c in cases)
    images = {case.case_id: case.image_id for case in cases}
    assert all(partner.image_id != images[case] for case, partner in partners.items())
    assert partners == draw_partners(cases[::-1], seed)


def test_shuffled_has_the_target_that_the_report_means_in_this_image():
    cases = paired_world(images=4, per_image=2).cases
    partners = draw_partners(cases, 0)
    for case in cases:
        made = shuffled(case, partners)
        if isinstance(made, Altered):
            assert made.target.lesion == case.lesions.named(partners[case.case_id].lesions.own.traits)
    assert "another image" in shuffled(cases[0], {}).reason


@pytest.mark.parametrize(
    ("sentence", "changed"),
    [
        ("8 mm nodule.", "16 mm nodule."),
        ("A 1.5 x 2 cm mass.", "A 3 x 4 cm mass."),
        ("The larger nodule, 24 mm.", "The smaller nodule, 12 mm."),
        ("The small nodule, 5 mm.", "The large nodule, 10 mm."),
        ("A nodule on image 12.", None),
        ("Small cell carcinoma.", None),
        ("Small-bowel obstruction.", None),
        ("A large mass in the lesser sac.", "A small mass in the lesser sac."),
    ],
)
def test_sizes(sentence, changed):
    assert change_sizes(sentence) == changed


def test_size_changed_knows_its_target_only_where_size_is_what_decides():
    large = "There is a large nodule."
    lesions = (Lesion(1, {"size": "large"}), Lesion(2, {"size": "small"}))
    by_size = case_with(large, [finding(large, 1)], lesions=KnownLesions(None, 1, lesions, ("size",)))
    assert size_changed(by_size).target == Target(lesion=2)
    assert size_changed(case_with(large)).target is None
    assert "states a size" in size_changed(case_with(LEFT)).reason


@pytest.mark.parametrize(
    ("sentence", "reworded"),
    [
        (LEFT, "A nodular lesion is seen in the upper lobe of the left lung."),
        ("In the right lung, a rounded mass is visible.", "There is a round mass lesion in the right lung."),
        ("No nodules.", "No nodular lesions."),
        ("Heart size is normal.", None),
        ("No mass effect.", None),
        ("Right pleural effusion.", "Right pleural fluid."),
        ("Thrombus of the left pulmonary artery.", None),
        ("A pulmonary nodule.", "A lung nodular lesion."),
        ("Stricture of the hepatic flexure.", None),
    ],
)
def test_rewording(sentence, reworded):
    assert reword(sentence) == reworded


@pytest.mark.parametrize("template", [*TRAINING_WORDING.positives, *TEST_WORDING.positives])
def test_rewording_keeps_assertion_and_side(template):
    for phrase in SITE_PHRASES:
        sentence = template.format(site=phrase.format(side="right", level="lower"))
        sentence = sentence[0].upper() + sentence[1:]
        text = reword(sentence)
        if text is not None:
            assert (classify(text), tag(text)) == (classify(sentence), tag(sentence))
            assert {"right", "lower"} <= set(text.replace(".", "").split())


def test_paraphrased_and_long_take_what_the_dataset_offers():
    given = {name: report("a", f"{name.capitalize()} words on the left.") for name in ("seen_wording", "long")}
    case = case_with(LEFT, given=given)
    assert texts(paraphrased(case)) == ["Seen_wording words on the left."]
    assert texts(long(case, 0)) == ["Long words on the left."]


def test_long_puts_what_decides_behind_600_tokens_about_other_organs():
    case = case_with(f"{LEFT} The spleen is enlarged to 15 cm. No effusion.", [finding(LEFT, 1)])
    made = texts(long(case, 0))
    assert made[:2] == ["The spleen is enlarged to 15 cm.", "No effusion."]
    assert made[-1] == LEFT
    filler = made[2:-1]
    assert count_tokens(" ".join(filler)) >= FILLER_TOKENS
    assert len(set(filler)) == len(filler) > 60
    assert not any("spleen" in sentence for sentence in filler)
    assert all(classify(sentence) in (Assertion.PRESENT, Assertion.ABSENT) for sentence in filler)
    assert not deciding_sentences(report("b", " ".join(filler))), "filler must not say that something is there"
    assert draw_filler(case.report, 0) == draw_filler(case.report, 0) != draw_filler(case.report, 1)


def test_order_is_another_one_and_nothing_is_lost():
    case = case_with(f"{LEFT} No effusion. Heart size is normal.")
    original = [s.text for s in case.report.sentences]
    for seed in range(10):
        made = texts(order_permuted(case, seed))
        assert made != original
        assert sorted(made) == sorted(original)
    assert isinstance(order_permuted(case_with(LEFT), 0), NotApplicable)


def test_every_condition_is_made_or_refused_with_a_reason_and_changes_no_case():
    cases = [*paired_world(images=2).cases, *findings_world(images=2).cases]
    before = [case.report for case in cases]
    for of_case in alter(cases, CONDITIONS, 0).values():
        assert tuple(of_case) == CONDITIONS
        for made in of_case.values():
            assert isinstance(made, Altered) or made.reason
    assert [case.report for case in cases] == before
