"""The command line answers at once, and turns the project's errors into a message and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nnunet_reportseg.cli.main import app, main
from nnunet_reportseg.errors import ReportSegError
from text_conditioning.errors import TextConditioningError

HEAVY = ("torch", "transformers", "nnunetv2", "numpy", "SimpleITK", "matplotlib")


def _run(*arguments: str) -> pytest.ExceptionInfo[SystemExit]:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["evaluate", "--help"], ["info", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from nnunet_reportseg.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"
    assert "Usage" in done.stdout


@pytest.mark.parametrize("error", [ReportSegError, TextConditioningError])
def test_own_errors_become_a_message_and_exit_code_2(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**options: object) -> None:
        raise error("case 'a': wrong. Fix: right")

    monkeypatch.setattr("nnunet_reportseg.cli.info.collect", fail)
    assert _run("info").value.code == 2
    captured = capsys.readouterr()
    assert captured.err == "error: case 'a': wrong. Fix: right\n"
    assert captured.out == ""


def test_other_errors_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("nnunet_reportseg.cli.info.collect", fail)
    with pytest.raises(ZeroDivisionError):
        main(["info"])


def test_unknown_command_exits_with_2() -> None:
    assert _run("trian").value.code == 2


def test_every_command_module_is_registered_under_its_own_name() -> None:
    folder = Path(__file__).parents[2] / "nnunet_reportseg" / "cli"
    modules = {file.stem for file in folder.glob("*.py") if "\ndef command(" in file.read_text(encoding="utf-8")}
    assert {command.name for command in app.registered_commands} == modules
