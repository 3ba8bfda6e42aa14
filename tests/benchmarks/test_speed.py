"""What the benchmarks of time and memory rest on."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
import torch
from speed.memory import run_and_watch
from speed.timing import seconds

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
