"""Every converter is a sub-command and has a section in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from nnunet_reportseg.cli.convert import app

DOCUMENT = Path(__file__).parents[2] / "docs" / "converters.md"


def test_converters_and_sections_are_the_same() -> None:
    sections = re.findall(r"^## (\w+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert {command.name for command in app.registered_commands} == set(sections)
