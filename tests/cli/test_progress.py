"""Progress without a terminal: a line from time to time, on stderr."""

from __future__ import annotations

import pytest

from nnunet_reportseg.cli import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_come_from_time_to_time_and_say_what_is_left(clock, capsys) -> None:
    with progress.cases_progress("Auditing") as report:
        for done in range(11):
            clock[0] = done * 12.0
            report(done, 10)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = [line.removeprefix("Auditing: ") for line in captured.err.splitlines()]
    assert lines == ["3 of 10, 1 min left", "6 of 10, 1 min left", "9 of 10, 0 min left"]


def test_a_short_command_leaves_no_line(clock, capsys) -> None:
    with progress.cases_progress("Checking") as report:
        report(0, 2)
        clock[0] = progress.LINE_EVERY_S - 1
        report(2, 2)
    assert capsys.readouterr().err == ""
