"""Both protocols for findings agree to 1e-9 with plain Python loops, on 200 pairs of masks and in their summaries."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import Any

import numpy as np
import pytest

from nnunet_reportseg.evaluation import general, rexgroundingct
from nnunet_reportseg.evaluation.mask_pair import MaskPair
from tests.evaluation import slow_reference
from tests.evaluation.finding_cases import CASES, pairs


@cache
def _scored() -> list[tuple[str, Any, dict, Any, dict]]:
    """Name, score and slow score of both protocols; two findings to a case."""
    rows = []
    for k, (name, prediction, reference, spacing) in enumerate(pairs()):
        pair = MaskPair.of(prediction, reference, spacing)
        p, r = prediction.astype(int).tolist(), reference.astype(int).tolist()
        of = (f"case{k // 2}", str(k % 2), None, pair)
        rows.append(
            (
                name,
                rexgroundingct.score(*of),
                slow_reference.grounding(p, r),
                general.score(*of),
                slow_reference.general(p, r, spacing),
            )
        )
    return rows


def _same(score: Any, slow: dict, name: str) -> None:
    values = asdict(score)
    for field, expected in slow.items():
        if expected is None:
            assert values[field] is None, (name, field)
        else:
            assert values[field] == pytest.approx(expected, rel=0, abs=1e-9), (name, field)


def test_every_score_of_rexgroundingct_agrees() -> None:
    assert len(_scored()) == CASES
    for name, score, slow, _, _ in _scored():
        _same(score, slow, name)


def test_every_score_of_the_general_protocol_agrees() -> None:
    for name, _, _, score, slow in _scored():
        _same(score, slow, name)
        assert set(slow) == set(asdict(score)) - {"case", "finding", "category", "status"}


def test_the_cases_hold_what_they_are_meant_to_hold() -> None:
    by_name = {name: (grounding, measured) for name, grounding, _, measured, _ in _scored()}
    grounding = {name: score for name, (score, _) in by_name.items()}
    assert grounding["both empty"].status == "both_empty"
    assert grounding["both empty"].dice == grounding["both empty"].hit == 1
    assert by_name["both empty"][1].hd95_mm is None
    assert [grounding[f"{n} voxels"].instances_matched for n in (9, 10, 11)] == [0, 1, 1]
    assert [grounding[f"touching at a {name}"].instances_ref for name in ("face", "edge", "corner")] == [1, 1, 2]
    assert grounding["tie of references"].instances_matched == grounding["tie of predictions"].instances_matched == 1
    assert (grounding["Dice of exactly 0.1"].dice, grounding["Dice of exactly 0.1"].hit) == (0.1, 1)
    assert grounding["Dice of exactly 0.1"].instances_matched == 0
    assert grounding["Dice of exactly 0.2"].instances_matched == 1
    assert grounding["more than 50 of equal size"].instances_ref == 50
    assert by_name["more than 50 of equal size"][1].lesions_ref == 53
    assert 0 < grounding["more than 50 of many sizes"].instances_pred <= 50
    random = [score for name, score in grounding.items() if name.startswith("random")]
    assert sum(score.instances_matched > 0 for score in random) > 20
    assert sum(score.instances_pred + score.instances_ref > 2 for score in random) > 20
    assert {score.status for score in random} == {"both_empty", "false_positive", "missed", "overlap"}


def test_summary_of_rexgroundingct_agrees() -> None:
    scores, slow = [row[1] for row in _scored()], [row[2] for row in _scored()]
    matched, predicted, true = (sum(s[f"instances_{name}"] for s in slow) for name in ("matched", "pred", "ref"))
    precision, recall = matched / predicted, matched / true
    present, absent = [s for s in slow if s["n_ref"]], [s for s in slow if not s["n_ref"]]
    expected = {
        "dice": sum(s["dice"] for s in slow) / len(slow),
        "hit_rate": sum(s["hit"] for s in slow) / len(slow),
        "instance_precision": precision,
        "instance_recall": recall,
        "instance_f1": 2 * precision * recall / (precision + recall),
        "dice_present": sum(s["dice"] for s in present) / len(present),
        "absent_empty": sum(s["n_pred"] == 0 for s in absent) / len(absent),
    }
    estimates = rexgroundingct.estimate(scores, seed=0)
    assert {name: interval.value for name, interval in estimates.items()} == pytest.approx(expected, rel=0, abs=1e-9)
    for interval in estimates.values():
        assert interval.low < interval.value < interval.high
    assert (estimates["dice"].cases, estimates["dice"].images) == (CASES, CASES // 2)


def test_summary_of_the_general_protocol_agrees() -> None:
    scores, slow = [row[3] for row in _scored()], [row[4] for row in _scored()]
    estimates = general.estimate(scores, seed=0)

    def mean(values: list[float | None]) -> float:
        known = [value for value in values if value is not None]
        return sum(known) / len(known)

    expected = {name: mean([s[name] for s in slow]) for name in ("dice", "nsd_1mm", "nsd_2mm", "nsd_5mm", "hd95_mm")}
    expected["volume_bias_ml"] = mean([s["volume_error_ml"] for s in slow])
    expected["absolute_volume_error_ml"] = mean([abs(s["volume_error_ml"]) for s in slow])
    relative = [s["relative_volume_error"] for s in slow]
    expected["absolute_relative_volume_error"] = mean([None if value is None else abs(value) for value in relative])
    expected["lesion_sensitivity"] = sum(s["lesions_found"] for s in slow) / sum(s["lesions_ref"] for s in slow)
    expected["lesion_precision"] = sum(s["lesions_true"] for s in slow) / sum(s["lesions_pred"] for s in slow)
    expected["false_lesions"] = mean([s["lesions_pred"] - s["lesions_true"] for s in slow])
    expected["dice_present"] = mean([s["dice"] if s["volume_ref_ml"] else None for s in slow])
    assert {name: interval.value for name, interval in estimates.items()} == pytest.approx(expected, rel=0, abs=1e-9)
    assert estimates["hd95_mm"].cases == sum(s["hd95_mm"] is not None for s in slow) < CASES


def test_nothing_to_measure_is_none() -> None:
    empty = np.zeros((3, 3, 3), dtype=bool)
    pair = MaskPair.of(empty, empty, (1, 1, 1))
    grounding = rexgroundingct.estimate([rexgroundingct.score("a", "1", None, pair)], seed=0)
    assert [name for name, interval in grounding.items() if interval is None] == [
        "instance_precision",
        "instance_recall",
        "instance_f1",
        "dice_present",
    ]
    measured = general.estimate([general.score("a", "1", None, pair)], seed=0)
    assert measured["hd95_mm"] is measured["lesion_sensitivity"] is measured["lesion_precision"] is None
