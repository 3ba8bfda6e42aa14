"""``reportseg env`` prints one line a shell can evaluate, and keeps what the variable already names."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from nnunet_reportseg.cli import env
from nnunet_reportseg.cli.main import main
from nnunet_reportseg.trainer_folder import trainer_dir


def _value(current: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.delenv("nnUNet_extTrainer", raising=False)
    if current is not None:
        monkeypatch.setenv("nnUNet_extTrainer", current)
    with pytest.raises(SystemExit) as caught:
        main(["env"])
    assert caught.value.code == 0
    line = capsys.readouterr().out
    script = f'{line}printf %s "$nnUNet_extTrainer"'
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout


def test_names_the_trainer_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _value(None, monkeypatch, capsys) == str(trainer_dir())


def test_keeps_other_folders_and_adds_none_twice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = str(trainer_dir())
    assert _value("/x y/$HOME", monkeypatch, capsys) == os.pathsep.join(["/x y/$HOME", ours])
    repeated = os.pathsep.join([ours, "", "/b", ours])
    assert _value(repeated, monkeypatch, capsys) == os.pathsep.join([ours, "/b"])


def test_quotes_a_folder_with_blanks(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("nnUNet_extTrainer", raising=False)
    monkeypatch.setattr("nnunet_reportseg.trainer_folder.trainer_dir", lambda: "/a b/it's")
    env.command()
    assert shlex.split(capsys.readouterr().out) == ["export", "nnUNet_extTrainer=/a b/it's"]


def test_complains_about_unset_folders_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        monkeypatch.delenv(name, raising=False)
    env.command()
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert [line.split()[1] for line in captured.err.splitlines()] == [
        "nnUNet_raw",
        "nnUNet_preprocessed",
        "nnUNet_results",
    ]
