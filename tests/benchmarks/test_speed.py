"""What the benchmarks of time and memory rest on."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import torch
from speed.kept import kept_by
from speed.memory import run_and_watch
from speed.page import BARS, figures, page
from speed.planned import planned_network
from speed.prompted_network import PromptedNetwork
from speed.timing import seconds
from torch.utils.checkpoint import checkpoint

HELD = """
import os, subprocess, sys, time
mine = bytearray(os.urandom(1 << 20) * 60)
if len(sys.argv) < 2:
    subprocess.run([sys.executable, __file__, "child"], check=True)
time.sleep(0.5)
"""


def test_memory_of_children_counts(tmp_path):
    script = tmp_path / "held.py"
    script.write_text(HELD)
    took, peak = run_and_watch([sys.executable, str(script)], dict(os.environ), tmp_path / "log")
    assert took > 0.5
    assert 115 < peak < 200  # 60 MiB in each of two processes


def test_a_command_that_fails_is_an_error_with_its_output(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as error:
        run_and_watch([sys.executable, "-c", "raise SystemExit('broken')"], dict(os.environ), tmp_path / "log")
    assert "broken" in error.value.output


def test_the_first_round_is_not_counted():
    waits = iter([0.3, 0.01, 0.01, 0.01])
    found = seconds({"job": lambda: time.sleep(next(waits))}, torch.device("cpu"), repeats=3)
    assert found["job"] < 0.1


def _part(**figures):
    return {"machine": "M", "threads": 2, "repeats": 5, "versions": {"torch": "1"}, **figures}


def test_figures_with_a_bar_stand_by_name_and_the_page_judges_them():
    parts = {
        "training_cpu": _part(default={"train_step_ratio_cpu": 1.2, "batch_size": 2}),
        "loading_cpu": _part(loader_ratio=0.99),
        "prediction_cpu": _part(
            predict_ratio_60_classes=0.3,
            shape=[3, 4, 5],
            classes=60,
            steps={
                "stock": {"read": 1.0, "resample_and_label": 9.0},
                "ours": {"read": 1.0, "resample_and_label": 2.0},
            },
        ),
    }
    assert figures(parts) == {"train_step_ratio_cpu": 1.2, "loader_ratio": 0.99, "predict_ratio_60_classes": 0.3}
    text = page(parts)
    verdicts = {line.split("|")[1].strip(): line.split("|")[4].strip() for line in text.splitlines() if "= " in line}
    assert verdicts["training step, with reports / stock, CPU"] == "missed"
    assert verdicts["batches loaded in a second, with reports / stock"] == "met"
    assert verdicts["prediction of 60 classes, `reportseg predict` / stock"] == "met"
    assert verdicts["training step, with reports / stock, GPU"] == "not run"
    assert "| resample and label | 9.00 | 2.00 |" in text


def test_names_of_figures_tell_the_plans_unless_they_are_the_usual_ones():
    names = [bar.name for bar in BARS]
    assert len(set(names)) == len(names)
    assert {"findings_10_over_1", "resenc_findings_10_over_1", "help_seconds", "vram_ratio"} <= set(names)


@pytest.mark.parametrize("prompts", [1, 3])
def test_the_prompted_network_gives_a_mask_for_each_prompt(prompts):
    planned = planned_network("resenc")
    network = PromptedNetwork(planned.encoder, 1, 16).to("meta")
    tile = torch.zeros(1, 1, 64, 64, 64, device="meta")
    assert network(tile, torch.zeros(prompts, 16, device="meta")).shape == (prompts, 64, 64, 64)


class _Step(torch.nn.Module):
    """Two products; the first is kept for the backward pass unless it is computed again."""

    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again
        self.one, self.two = torch.nn.Linear(8, 64, bias=False), torch.nn.Linear(64, 1, bias=False)

    def forward(self, x):
        return self.two(checkpoint(self.one, x, use_reentrant=False) if self.again else self.one(x))


@pytest.mark.parametrize(("again", "floats"), [(False, 5 * 64 + 5), (True, 5)])
def test_what_is_kept_for_the_backward_pass_is_counted_without_running_the_step(again, floats):
    network, x = _Step(again), torch.randn(5, 8)
    assert kept_by(network, lambda: network(x).sum().backward()) == 4 * floats
    assert network.one.weight.grad is None
