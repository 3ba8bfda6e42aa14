"""Finished runs stay, failures are recorded and tried again, other settings are refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from following.errors import BenchmarkError
from following.results import load_runs
from following.runs import RunSpec, run_all
from following.settings import Settings, keep_settings
from tests.benchmarks.rows import row, run


@pytest.fixture
def specs(tmp_path):
    return [
        RunSpec("laterality", "Dataset512_FollowLaterality", ("side",), variant, 0, Settings(), tmp_path)
        for variant in ("default", "no_position")
    ]


class Runner:
    """In the place of a process: succeeds or writes a log and fails."""

    def __init__(self, failing=()):
        self.failing = failing
        self.started = []

    def __call__(self, spec, log):
        self.started.append(spec.variant)
        if spec.variant in self.failing:
            log.write_text("Traceback\n\nRuntimeError: out of memory\n")
            return 1
        spec.result_file.write_text(
            json.dumps({**run(spec.benchmark, spec.variant, spec.seed, row("correct", 0.9, 1.0)), "line": "Dice 0.9"})
        )
        return 0


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_finished_run_is_not_run_again(specs, at_once):
    run_all(specs[:1], Runner(), tell=list)
    again = Runner()
    run_all(specs, again, at_once=at_once, tell=list)
    assert again.started == ["no_position"]


def test_a_failure_is_recorded_stops_nothing_and_is_tried_again(specs, tmp_path):
    told = []
    run_all(specs, Runner(failing=["default"]), tell=told.append)
    runs, failures = load_runs(tmp_path)
    assert [r["variant"] for r in runs] == ["no_position"]
    assert [f["variant"] for f in failures] == ["default"]
    assert failures[0]["message"].endswith("RuntimeError: out of memory")
    assert "failed" in told[1]
    assert told[2] == "laterality no_position seed 0: Dice 0.9"
    again = Runner()
    run_all(specs, again, tell=told.append)
    assert again.started == ["default"]
    assert load_runs(tmp_path)[1] == []


def test_a_process_that_ends_well_without_a_result_has_failed(specs, tmp_path):
    run_all(specs[:1], lambda spec, log: 0, tell=list)
    assert load_runs(tmp_path)[1][0]["exit_code"] == 0


def test_a_spec_survives_json(specs):
    assert RunSpec.from_json(specs[0].to_json()) == specs[0]


def test_other_settings_are_refused_by_name(tmp_path):
    keep_settings(tmp_path, Settings())
    keep_settings(tmp_path, Settings())
    with pytest.raises(BenchmarkError, match="iterations: 600 there, 700 now"):
        keep_settings(tmp_path, replace(Settings(), iterations=700))
