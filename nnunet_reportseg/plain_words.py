"""The words of a text, whatever their case and white space."""

from __future__ import annotations


def plain_words(text: str) -> str:
    """The text in lower case, with single blanks."""
    return " ".join(text.casefold().split())
