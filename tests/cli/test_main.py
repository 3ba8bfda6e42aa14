"""The command line answers at once, and turns the project's errors into a message and exit code 2."""

from __future__ import annotations

import errno
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", "--help"],
        ["convert", "folder", "--help"],
        ["evaluate", "--help"],
        ["info", "--help"],
        ["audit", "--help"],
    ],
)
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


def test_a_full_disk_becomes_a_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nnunet_reportseg.cli.info.collect", fail)
    assert _run("info").value.code == 2
    assert capsys.readouterr().err == (
        "error: No space left on device. Fix: check the path, its rights and the free space\n"
    )


def test_unknown_command_exits_with_2() -> None:
    assert _run("trian").value.code == 2


def test_every_command_module_is_registered_under_its_own_name() -> None:
    folder = Path(__file__).parents[2] / "nnunet_reportseg" / "cli"
    modules = {file.stem for file in folder.glob("*.py") if "\ndef command(" in file.read_text(encoding="utf-8")}
    assert {command.name for command in app.registered_commands} == modules


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "-d", "1"],
        ["embed", "-d", "1"],
        ["train", "1", "2d", "0"],
        ["predict", "-i", "in", "-o", "out"],
        ["evaluate", "-p", "in", "-r", "in"],
        ["demo"],
        ["convert", "busbra", "-i", "in", "-o", "out", "-d", "1"],
    ],
)
def test_commands_that_use_nnunet_refuse_other_versions(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nnunet_reportseg.compatibility._MINOR", (2, 7))
    monkeypatch.chdir(tmp_path)
    assert _run(*arguments).value.code == 2
    assert 'Fix: pip install "nnunetv2>=2.8,<2.9"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert _run(arguments[0], "--help").value.code == 0


def test_other_commands_run_with_any_nnunet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("nnunet_reportseg.compatibility._MINOR", (2, 7))
    assert _run("env").value.code == 0
    assert _run("info", "--json").value.code == 0
    assert _run("phantom", "-o", str(tmp_path), "--cases", "1", "--test-volumes", "0").value.code == 0
