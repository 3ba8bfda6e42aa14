"""What a sample of grounding asks for: one finding stays in the target, or nothing does."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nnunet_reportseg.training.sample_finding import SampleFinding
from nnunet_reportseg.training.sub_reports import (
    EXHAUSTIVE,
    FINDING_VALUES,
    FOCUS,
    KEPT,
    LABEL_MAP,
    WITHOUT_REPORT,
)

FINDINGS = ((1,), (2, 3), (3,))


@pytest.fixture(autouse=True)
def seed() -> None:
    np.random.seed(0)


def segmentation() -> torch.Tensor:
    """One voxel of each value; 7 belongs to no finding, 9 is the ignore label."""
    return torch.tensor([-1, 0, 1, 2, 3, 7, 9], dtype=torch.int16).reshape(1, 1, 7)


def draw(
    *, absent=0.0, another=0.0, without_report=0.0, ignore_label=None, focus=None, findings=FINDINGS, exhaustive=True
):
    transform = SampleFinding(
        absent=absent, another=another, without_report=without_report, ignore_label=ignore_label, margin=(1, 1)
    )
    return transform(
        **{
            "image": torch.zeros(1, 1, 7),
            "segmentation": segmentation(),
            FINDING_VALUES: findings,
            EXHAUSTIVE: (exhaustive,) * len(findings),
            FOCUS: focus,
        }
    )


def values(tensor: torch.Tensor) -> list[int]:
    return tensor.flatten().tolist()


@pytest.mark.parametrize(
    ("focus", "left"),
    [(0, [-1, 0, 1, 0, 0, 0, 0]), (1, [-1, 0, 0, 2, 3, 0, 0]), (2, [-1, 0, 0, 0, 3, 0, 0])],
)
def test_the_finding_that_the_patch_was_chosen_for_is_asked_for(focus, left):
    drawn = draw(focus=focus)
    assert drawn[KEPT] == tuple(number == focus for number in range(3))
    assert values(drawn["segmentation"]) == left
    assert values(drawn[LABEL_MAP]) == values(segmentation())


def test_a_patch_that_was_chosen_for_a_finding_is_sometimes_asked_for_another_one():
    asked = [draw(another=0.4, focus=1)[KEPT].index(True) for _ in range(300)]
    assert 90 < 300 - asked.count(1) < 150
    assert asked.count(0) > 30
    assert asked.count(2) > 30
    assert draw(another=0.999, focus=0, findings=((1,),))[KEPT] == (True,)


def test_the_ignore_label_stays():
    assert values(draw(focus=0, ignore_label=9)["segmentation"]) == [-1, 0, 1, 0, 0, 0, 9]
    assert values(draw(absent=1.0, ignore_label=9)["segmentation"]) == [-1, 0, 0, 0, 0, 0, 9]


@pytest.mark.parametrize(
    ("focus", "left"),
    [
        (0, [9, 0, 1, 0, 0, 9, 9]),  # a margin of one voxel, and the voxels of the other findings
        (1, [9, 9, 0, 2, 3, 0, 9]),
        (2, [9, 9, 0, 0, 3, 0, 9]),
    ],
)
def test_what_may_be_an_unlabelled_instance_is_ignored(focus, left):
    drawn = draw(focus=focus, ignore_label=9, exhaustive=False)
    assert values(drawn["segmentation"]) == left
    assert values(drawn[LABEL_MAP]) == values(segmentation())


def test_nothing_more_is_ignored_where_something_absent_is_asked_for():
    drawn = draw(absent=1.0, focus=0, ignore_label=9, exhaustive=False)
    assert values(drawn["segmentation"]) == [-1, 0, 0, 0, 0, 0, 9]


def test_without_an_ignore_label_unlabelled_instances_are_background():
    assert values(draw(focus=0, exhaustive=False)["segmentation"]) == [-1, 0, 1, 0, 0, 0, 0]


def test_without_focus_every_finding_is_asked_for_at_times():
    asked = [draw()[KEPT] for _ in range(60)]
    assert all(sum(kept) == 1 for kept in asked)
    assert len(set(asked)) == 3


def test_absent_findings_have_the_wanted_share_and_an_empty_target():
    drawn = [draw(absent=0.25, focus=1) for _ in range(400)]
    absent = [sample for sample in drawn if not any(sample[KEPT])]
    assert 70 <= len(absent) <= 130
    assert all(max(values(sample["segmentation"])) == 0 for sample in absent)


def test_a_case_without_findings_has_an_empty_target():
    drawn = draw(findings=())
    assert drawn[KEPT] == ()
    assert max(values(drawn["segmentation"])) == 0


def test_context_is_left_out_as_often_as_wanted():
    without = [draw(without_report=0.2)[WITHOUT_REPORT] for _ in range(400)]
    assert 50 <= sum(without) <= 110
