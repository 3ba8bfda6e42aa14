"""Handmade networks get the verdict that they deserve."""

from __future__ import annotations

import pytest

from nnunet_reportseg.audit.run import run_audit, spread
from nnunet_reportseg.audit.verdict import FOLLOWS, IGNORES, UNKNOWN, WEAKLY
from nnunet_reportseg.errors import DatasetError
from tests.audit import stub


def audit(world, rule, **options):
    return run_audit(world.cases, stub.LABELS, stub.Network(world, rule), **options)


@pytest.mark.parametrize("make", [stub.paired_world, stub.findings_world])
@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (stub.follows, FOLLOWS),
        (stub.ignores, IGNORES),
        (stub.finds_nothing, IGNORES),
        (stub.first_place, IGNORES),
        (stub.reads_presence, WEAKLY),
        (stub.reads_templates, WEAKLY),
    ],
)
def test_verdicts(make, rule, verdict):
    result = audit(make(), rule).verdict
    assert result.verdict == verdict, result.notes


def test_presence_without_place_fails_the_places_and_passes_denial():
    result = audit(stub.paired_world(), stub.reads_presence)
    passed = {check.what: check.passed for check in result.verdict.checks}
    assert passed["negated: part of the Dice lost"]
    assert not passed["site_changed: part of the Dice lost"]
    assert not passed["laterality_swapped: part of the Dice lost"]
    assert not passed["correct: follow rate"]


def test_a_network_that_breaks_down_under_foreign_text_does_not_follow():
    """It loses all under wrong text, as one that follows, and finds nothing of what the text asks for instead."""
    world = stub.paired_world()
    own = {c.case_id: [s.text for s in c.report.sentences] for c in world.cases}
    result = audit(world, stub.breaks_down(lambda told: own[told.case_id]))
    passed = {check.what: check.passed for check in result.verdict.checks}
    assert passed["site_changed: part of the Dice lost"]
    assert not passed["site_changed: own target found"]
    assert result.verdict.verdict == WEAKLY


@pytest.mark.parametrize(
    ("rule", "verdict"), [(stub.ignores, UNKNOWN), (stub.follows, FOLLOWS), (stub.reads_presence, WEAKLY)]
)
def test_text_that_cannot_matter(rule, verdict):
    """Every image has one finding: that a network does not react says nothing, that it does still counts."""
    result = audit(stub.findings_world(findings=1), rule).verdict
    assert result.verdict == verdict
    if verdict == UNKNOWN:
        assert "no image has a second finding" in result.notes[0]


def test_without_label_values_only_the_loss_is_judged():
    assert audit(stub.findings_world(linked=False), stub.ignores).verdict.verdict == IGNORES
    result = audit(stub.findings_world(linked=False), stub.follows)
    assert any("no finding has label values" in note for note in result.verdict.notes)
    assert result.summaries["negated"].dice_own is None
    assert result.summaries["negated"].lost.value == 1


def test_too_few_images_cannot_be_judged():
    assert audit(stub.paired_world(images=3), stub.follows).verdict.verdict == UNKNOWN


def test_without_a_question_of_place_nobody_follows():
    result = audit(stub.paired_world(), stub.follows, conditions=["null", "negated", "shuffled"]).verdict
    assert result.verdict == WEAKLY
    assert "place could not be tested" in result.notes[0]


def test_the_same_call_gives_the_same_result():
    world = stub.paired_world()
    first, second = (audit(world, stub.follows) for _ in range(2))
    assert first.records == second.records
    assert first.summaries == second.summaries


def test_own_targets_and_scores_of_a_network_that_follows():
    summaries = audit(stub.paired_world(), stub.follows).summaries
    for name in ("correct", "site_changed", "laterality_swapped", "negated", "shuffled"):
        assert summaries[name].dice_own.value == 1, name
        assert summaries[name].presence_accuracy.value == 1
        assert summaries[name].false_positive_ml.value == 0
    assert summaries["site_changed"].dice_original.value == 0
    assert summaries["null"].dice_original.value == pytest.approx(0.5)
    assert summaries["null"].dice_own is None
    assert summaries["correct"].follow_rate.value == summaries["site_changed"].follow_rate.value == 1
    assert summaries["correct"].chance == pytest.approx(1 / 3)
    assert summaries["text_only"].dice_original.value == 0


def test_false_positives_of_a_network_that_finds_everything():
    summaries = audit(stub.paired_world(), stub.ignores).summaries
    assert summaries["correct"].false_positive_ml.value == 2 * 3 * 0.5
    assert summaries["negated"].false_positive_share.value == 3
    assert summaries["negated"].presence_accuracy.value == 0
    assert summaries["correct"].follow_rate.value == 0


def test_unknown_condition_and_missing_reports_are_refused():
    world = stub.paired_world(images=1)
    with pytest.raises(DatasetError, match="mirrored"):
        audit(world, stub.follows, conditions=["mirrored"])
    empty = [c for c in stub.findings_world().cases]
    none = [type(c)(c.case_id, c.image_id, (), None, type(c.report)(c.case_id)) for c in empty]
    with pytest.raises(DatasetError, match="no case has a report"):
        run_audit(none, stub.LABELS, stub.Network(world, stub.follows))


def test_max_cases_takes_many_images_before_siblings():
    cases = stub.paired_world(images=4, per_image=3).cases
    assert len({case.image_id for case in spread(cases, 4)}) == 4
    assert len(spread(cases, 6)) == 6
    assert spread(cases, None) == cases
