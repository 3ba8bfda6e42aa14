"""Languages that there are rules for: one file each in the folder ``languages``, named by its code, and English."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_BUILT_IN = frozenset({"en"})


@cache
def is_known(language: str) -> bool:
    """Tell whether reports of a language can be read.

    Args:
        language: Code such as "en" or "en-GB".
    """
    code = language.replace("_", "-").split("-")[0].lower()
    return code in _BUILT_IN or (code.isalpha() and (Path(__file__).parent / "languages" / f"{code}.json").is_file())
