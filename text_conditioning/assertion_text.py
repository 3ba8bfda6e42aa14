"""The form in which the assertion rules read a sentence: lower case, single spaces, straight quotes, round brackets."""

from __future__ import annotations

import re

_STRAIGHT = str.maketrans({"\u2019": "'", "\u2018": "'", "\u2013": "-", "\u2014": "-", "[": "(", "]": ")"})
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_UNEVEN = re.compile(r"\s\s|[^\S ]")


def normalised(sentence: str) -> tuple[str, list[int] | None]:
    """Bring a sentence into the form that the rules are written for.

    Args:
        sentence: The sentence as written.

    Returns:
        The text, and for each of its characters the place in the sentence; None where both agree in every place.
    """
    text = sentence.lower()
    if len(text) != len(sentence):  # some capitals of other scripts become two letters
        text = "".join(c.lower() if len(c.lower()) == 1 else c for c in sentence)
    text = text.translate(_STRAIGHT)
    if not _UNEVEN.search(text):
        return text, None
    kept = [i for i, c in enumerate(text) if not (c.isspace() and i and text[i - 1].isspace())]
    return "".join(" " if text[i].isspace() else text[i] for i in kept), kept


def first_letter(text: str, match: re.Match[str]) -> int:
    """Return the place of the first letter or digit in a match, or the end of the match."""
    letter = _LETTER_OR_DIGIT.search(text, match.start(), match.end())
    return letter.start() if letter else match.end()
