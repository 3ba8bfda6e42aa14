"""Runs ``reportseg convert`` the way a user does."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnunet_reportseg.cli.main import main


def convert(*arguments: object) -> int:
    """Exit code of ``reportseg convert``."""
    with pytest.raises(SystemExit) as caught:
        main(["convert", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def assert_refused(capsys: pytest.CaptureFixture[str], raw: Path, *arguments: object, named: tuple[str, ...]) -> None:
    """The command exits with 2, names these words, and leaves no dataset."""
    assert convert(*arguments) == 2
    message = capsys.readouterr().err
    for words in (*named, "Fix: "):
        assert words in message
    assert not list(raw.glob("Dataset*"))
