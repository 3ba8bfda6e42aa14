"""Exchange left and right in a report.

Gives training and audits the same report about the other side. Exchanging the two words wherever they stand, as is
commonly done, also rewrites idioms and invents right lingulas; here idioms and vertebral levels stay (`side_words`),
and what has no mirror image is refused (`sided_anatomy`).
"""

from __future__ import annotations

import re

from text_conditioning.sentences import split_sentences
from text_conditioning.side_words import SideWord, find_side_words
from text_conditioning.sided_anatomy import SIDE_MARK, has_no_mirror_image, names_one_side

_OTHER = {"left": "right", "right": "left", "l": "r", "r": "l", "levo": "dextro", "dextro": "levo"}
# The right middle lobe and the lingula are each other's mirror image. Exchanged only where the other lobes are named in
# short too ("the RML and LLL", "the lingula and RLL"): elsewhere the words around would no longer fit.
_MIRRORED_LOBE = re.compile(r"\b(?:RML|lingula)\b")
_OTHER_LOBE = {"RML": "lingula", "lingula": "RML"}
_LOBE_IN_SHORT = re.compile(r"\b[LR](?:UL|LL)\b")
_LOBE_MARK = "\ue000"
_REST_OF_LETTER = re.compile(r"[tT]\b\.?|\.(?=\s+\w)")  # "Lt." and "L." followed by more: no full stops


def _exchange(text: str, words: list[SideWord]) -> str:
    """Put the other side in the place of every side word, with its casing."""
    parts: list[str] = []
    position = 0
    for word in words:
        old = text[word.start : word.end]
        new = _OTHER[old.lower()]
        # the first, the second and the further letters have a case of their own: "LEft" becomes "RIght"
        cased = [c.upper() if old[min(i, 2, len(old) - 1)].isupper() else c for i, c in enumerate(new)]
        parts += [text[position : word.start], *cased]
        position = word.end
    return "".join([*parts, text[position:]])


def _mark(text: str, words: list[SideWord]) -> str:
    """Put the mark in the place of every side word."""
    parts: list[str] = []
    position = 0
    for word in words:
        parts += [text[position : word.start], SIDE_MARK]
        position = word.end
        rest = _REST_OF_LETTER.match(text, position) if word.end - word.start == 1 else None
        if rest:
            position = rest.end()
    return "".join([*parts, text[position:]])


def swap_laterality(text: str) -> str | None:
    """Exchange left and right in a sentence or a whole report.

    Words, adjectives and abbreviations are exchanged and keep their casing ("Left" and "Right", "LUL" and "RUL", "R>L"
    and "L>R"). Other uses of the words ("left untreated", "right away", "left-handed"), "bilateral" and vertebral
    levels stay. Exchanging twice gives the text back.

    Args:
        text: A sentence or a report.

    Returns:
        The exchanged text; the same text where there is nothing to exchange; None where the exchanged text would be
        anatomically false (lingula, middle lobe, chambers of the heart, lobes of the liver, a side at the spleen, ...)
        or could not be told from another use of the word ("nodule left at the hilum"). One such sentence refuses the
        whole text: exchange sentence by sentence to leave out only that one.
    """
    lobes = _MIRRORED_LOBE.findall(text)
    if not lobes or _LOBE_MARK in text or not _LOBE_IN_SHORT.search(text):
        return _swap(text)
    masked = _MIRRORED_LOBE.sub(_LOBE_MARK, text)
    spans, _ = split_sentences(masked)
    if any(_LOBE_MARK in masked[s:e] and not _LOBE_IN_SHORT.search(masked, s, e) for s, e in spans):
        return None
    swapped = _swap(masked)
    if swapped is None:
        return None
    others = iter(lobes)
    return re.sub(_LOBE_MARK, lambda _: _OTHER_LOBE[next(others)], swapped)


def _swap(text: str) -> str | None:
    """Exchange the side words of a text, or return None where that would be false."""
    words = find_side_words(text)
    if not words:
        return None if names_one_side(text) else text
    marked = _mark(text, words)
    spans, _ = split_sentences(marked)
    if any(has_no_mirror_image(marked[start:end]) for start, end in spans):
        return None
    swapped = _exchange(text, words)
    back = find_side_words(swapped)
    if _mark(swapped, back) != marked or _exchange(swapped, back) != text:
        return None
    return swapped
