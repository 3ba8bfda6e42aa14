"""The page of the grounding benchmark: bars, means over seeds, and what is said where runs are missing."""

from __future__ import annotations

import json

import pytest
from per_finding.page import publish

from following.errors import BenchmarkError
from following.settings import Settings, keep_settings

MACHINE = {"device": "cpu", "machine": "a machine", "versions": {"torch": "2"}}


def _run(out, task, variant, seed, dice, absent=1.0):
    names = ("hit_rate", "dice_present", "instance_precision", "instance_recall", "instance_f1")
    row = {"dice": dice, "absent_empty": absent, **dict.fromkeys(names, dice)}
    seconds = {"training_seconds": 60.0, "prediction_seconds": 6.0}
    size = {"findings": 30, "cases": 8, "iterations": 3000}
    content = {
        "benchmark": task,
        "variant": variant,
        "seed": seed,
        **size,
        **seconds,
        **MACHINE,
        "row": row,
        "line": "x",
    }
    file = out / "runs" / task / f"{variant}_s{seed}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def test_bars_are_means_over_seeds(tmp_path):
    keep_settings(tmp_path, Settings())
    for seed, dice in enumerate((0.99, 0.98, 0.97)):
        _run(tmp_path, "findings", "grounding", seed, dice)
    _run(tmp_path, "findings", "blind", 0, 0.4, absent=0.1)
    _run(tmp_path, "implants", "grounding", 0, 0.6, absent=None)
    files = publish(tmp_path, tmp_path / "docs")
    content = json.loads(files[0].read_text())
    verdicts = {(bar["task"], bar["metric"]): bar["verdict"] for bar in content["bars"]}
    assert verdicts == {
        ("findings", "dice"): "met",
        ("findings", "hit_rate"): "met",
        ("findings", "absent_empty"): "met",
        ("implants", "dice"): "missed (1 of 3 seeds)",
        ("implants", "hit_rate"): "missed (1 of 3 seeds)",
    }
    assert not any("line" in run for run in content["runs"])
    page = files[1].read_text()
    assert "| findings | Dice | >= 0.90 | 0.980 (0.97 to 0.99) | met |" in page
    assert "| `blind` | 0.400 | 0.400 | 0.400 | 0.100 |" in page
    for task, variant, seeds in (
        ("findings", "grounding", "0 1 2"),
        ("findings", "blind", "0"),
        ("implants --volumes VOLUMES --nodules NODULES", "grounding", "0"),
    ):
        assert f"--tasks {task} \\\n    --variants {variant} --seeds {seeds} \\\n" in page


def test_an_empty_folder_has_nothing_to_report(tmp_path):
    keep_settings(tmp_path, Settings())
    with pytest.raises(BenchmarkError, match="no finished run"):
        publish(tmp_path, tmp_path / "docs")
