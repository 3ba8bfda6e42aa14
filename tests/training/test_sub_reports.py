"""Sub-reports: what is left out of the report leaves the target, and nothing else does."""

from __future__ import annotations

import pytest
import torch

from nnunet_reportseg.training.sub_reports import (
    FINDING_GROUPS,
    FINDING_VALUES,
    FOCUS,
    KEPT,
    LABEL_MAP,
    WITHOUT_REPORT,
    SampleSubReport,
)


def segmentation() -> torch.Tensor:
    """One voxel of each value; -1 is padding, 9 the ignore label, 7 belongs to no finding."""
    return torch.tensor([-1, 0, 1, 2, 3, 7, 9], dtype=torch.int16).reshape(1, 1, 7)


def sample(findings, *, report_dropout=0.0, sub_report=1.0, target=None):
    transform = SampleSubReport(report_dropout=report_dropout, sub_report=sub_report)
    target = segmentation() if target is None else target
    return transform(**{"image": torch.zeros(1, 1, 7), "segmentation": target, FINDING_VALUES: findings})


def sample_with(kept, findings, **options):
    """Draw until these findings are kept."""
    for seed in range(200):
        torch.manual_seed(seed)
        drawn = sample(findings, **options)
        if drawn[KEPT] == kept:
            return drawn
    raise AssertionError(f"{kept} was not drawn")


def values(tensor):
    return tensor.flatten().tolist()


def test_voxels_of_a_dropped_finding_leave_the_target_and_stay_in_the_label_map():
    drawn = sample_with((True, False), ((1,), (2,)))
    assert values(drawn["segmentation"]) == [-1, 0, 1, 0, 3, 7, 9]
    assert values(drawn[LABEL_MAP]) == values(segmentation())


def test_all_values_of_a_finding_go_together():
    drawn = sample_with((True, False), ((1,), (2, 3)))
    assert values(drawn["segmentation"]) == [-1, 0, 1, 0, 0, 7, 9]


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ((True, True), [-1, 0, 1, 2, 3, 7, 9]),
        ((True, False), [-1, 0, 1, 0, 3, 7, 9]),
        ((False, True), [-1, 0, 0, 2, 3, 7, 9]),
        ((False, False), [-1, 0, 0, 0, 0, 7, 9]),
    ],
)
def test_overlap_goes_only_when_both_findings_are_dropped(kept, expected):
    assert values(sample_with(kept, ((1, 3), (2, 3)))["segmentation"]) == expected


def test_without_a_report_the_whole_target_stays():
    for seed in range(20):
        torch.manual_seed(seed)
        drawn = sample(((1,), (2,)), report_dropout=1.0)
        assert drawn[WITHOUT_REPORT]
        assert drawn[KEPT] == (True, True)
        assert values(drawn["segmentation"]) == values(segmentation())


def test_whole_reports_when_sub_reports_are_off():
    for seed in range(20):
        torch.manual_seed(seed)
        drawn = sample(((1,), (2,)), sub_report=0.0)
        assert drawn[KEPT] == (True, True)
        assert not drawn[WITHOUT_REPORT]


def test_a_case_without_findings_keeps_its_target():
    drawn = sample(())
    assert drawn[KEPT] == ()
    assert values(drawn["segmentation"]) == values(segmentation())


def test_a_sample_that_knows_of_no_findings_keeps_its_target():
    drawn = SampleSubReport(report_dropout=0.0, sub_report=1.0)(segmentation=segmentation())
    assert drawn[KEPT] == ()
    assert values(drawn["segmentation"]) == values(segmentation())


def test_only_the_first_channel_is_a_target():
    """The second channel of a cascade is the segmentation of the stage before."""
    both = segmentation().repeat(2, 1, 1)
    drawn = sample_with((False,), ((1, 2, 3),), target=both)
    assert values(drawn["segmentation"][0]) == [-1, 0, 0, 0, 0, 7, 9]
    assert values(drawn["segmentation"][1]) == values(segmentation())
    assert drawn[LABEL_MAP].shape == (1, 1, 7)


def test_the_shares_are_those_asked_for():
    torch.manual_seed(0)
    drawn = [sample(((1,), (2,)), report_dropout=0.2, sub_report=0.5) for _ in range(2000)]
    without = sum(d[WITHOUT_REPORT] for d in drawn) / len(drawn)
    partial = sum(d[KEPT] != (True, True) for d in drawn) / len(drawn)
    empty = sum(d[KEPT] == (False, False) for d in drawn) / len(drawn)
    assert abs(without - 0.2) < 0.03
    assert abs(partial - 0.8 * 0.5 * 0.75) < 0.04
    assert abs(empty - 0.8 * 0.5 * 0.25) < 0.03


@pytest.mark.parametrize("sub_report", [0.2, 1.0])
def test_the_finding_that_a_patch_was_chosen_for_is_kept_in_half_of_the_samples(sub_report):
    transform = SampleSubReport(report_dropout=0.0, sub_report=sub_report)
    kept = []
    for _ in range(2000):
        drawn = {
            "segmentation": segmentation(),
            FINDING_VALUES: ((1,), (2,), (3,)),
            FINDING_GROUPS: (0, 0, 1),
            FOCUS: 1,
        }
        kept.append(transform(**drawn)[KEPT])
    assert all(first == focus for first, focus, _ in kept), "findings that share a sentence go together"
    shares = [sum(column) / len(kept) for column in zip(*kept, strict=True)]
    assert abs(shares[1] - 0.5) < 0.04
    assert abs(shares[2] - (1 - sub_report / 2)) < 0.04


def test_a_patch_that_was_chosen_for_a_finding_has_a_whole_report_without_sub_reports():
    drawn = {"segmentation": segmentation(), FINDING_VALUES: ((1,), (2,)), FOCUS: 1}
    kept = {SampleSubReport(report_dropout=0.0, sub_report=0.0)(**drawn)[KEPT] for _ in range(20)}
    assert kept == {(True, True)}


@pytest.mark.parametrize("dtype", [torch.int16, torch.uint8, torch.int64, torch.float32])
def test_any_type_of_segmentation(dtype):
    drawn = sample_with((False,), ((2,),), target=segmentation().clamp_min(0).to(dtype))
    assert drawn["segmentation"].dtype == dtype
    assert values(drawn["segmentation"]) == [0, 0, 1, 0, 3, 7, 9]
