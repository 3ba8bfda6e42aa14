"""What a case without an entry means: the flag, else REPORTSEG_MISSING_REPORT, else an error, in every command."""

from __future__ import annotations

import os

import pytest
import typer

from nnunet_reportseg.cli.main import app, main

VARIABLE = "REPORTSEG_MISSING_REPORT"
COMMANDS = {
    "check": ["-d", "1"],
    "embed": ["-d", "1"],
    "train": ["1", "3d_fullres", "0"],
    "predict": ["-i", "IN", "-o", "OUT"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("flag", "variable", "expected"),
    [
        (None, None, "error"),
        (None, "", "error"),
        (None, "null", "null"),
        (None, "error", "error"),
        ("error", "null", "error"),
        ("null", "error", "null"),
        ("null", None, "null"),
    ],
)
def test_flag_then_variable_then_error(command, flag, variable, expected, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    if variable is not None:
        monkeypatch.setenv(VARIABLE, variable)
    group = typer.main.get_command(app)
    arguments = [*COMMANDS[command], *(["--missing-report", flag] if flag else [])]
    context = group.commands[command].make_context(command, arguments)
    assert context.params["missing_report"].choice == expected


@pytest.mark.parametrize("command", COMMANDS)
def test_another_value_exits_with_2(command, monkeypatch, capsys):
    monkeypatch.setenv(VARIABLE, "ignore")
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as caught:
        main([command, *COMMANDS[command]])
    assert caught.value.code == 2
    printed = capsys.readouterr().err
    assert VARIABLE in printed
    assert "ignore" in printed


def test_the_choice_reaches_nnunet_through_the_variable(monkeypatch):
    monkeypatch.setenv(VARIABLE, "null")
    monkeypatch.setattr("nnunet_reportseg.inference.model_folder.trained_model", lambda *_: None)
    seen = []
    monkeypatch.setattr(
        "nnunet_reportseg.inference.predict_folder.predict_folder", lambda *_, **__: seen.append(os.environ[VARIABLE])
    )
    for arguments in ([], ["--missing-report", "error"]):
        with pytest.raises(SystemExit):
            main(["predict", "-i", "IN", "-o", "OUT", *arguments])
    assert seen == ["null", "error"]
