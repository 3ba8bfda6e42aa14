"""The same content in other words: wording that the dataset offers, else rules (nnunet_reportseg/audit/rewordings.py).

Generated datasets offer ``seen_wording``, the test report in the words of training; there the report itself is the one
in held-out words, and the comparison runs the other way round.
"""

from __future__ import annotations

import re
from functools import partial

from nnunet_reportseg.audit.altered import (
    ORIGINAL,
    Altered,
    NotApplicable,
    own_description,
    rewritten,
    with_sentences,
)
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.deciding import NONE_DECIDES, deciding_sentences
from nnunet_reportseg.audit.rewordings import FRAMES, SYNONYMS
from text_conditioning.assertion import classify
from text_conditioning.laterality import tag
from text_conditioning.sizes import read_sizes_mm

SEEN_WORDING = "seen_wording"
_FRAMES = tuple((re.compile(pattern, re.IGNORECASE), frame) for pattern, frame in FRAMES)
_SYNONYMS = tuple((re.compile(rf"\b{pattern}\b", re.IGNORECASE), word) for pattern, word in SYNONYMS)


def paraphrased(case: AuditCase) -> Altered | NotApplicable:
    """Every sentence reworded that the rules can reword."""
    if SEEN_WORDING in case.given:
        report = with_sentences(case, case.given[SEEN_WORDING].sentences)
        return Altered(report, ORIGINAL, own_description(case))
    deciding = deciding_sentences(case.report)
    if not deciding:
        return NotApplicable(NONE_DECIDES)
    sentences = list(case.report.sentences)
    changed = {index: reword(sentence.text) for index, sentence in enumerate(sentences)}
    if not any(changed[index] for index in deciding):
        return NotApplicable("the rules cannot reword a deciding sentence")
    for index, text in changed.items():
        if text is not None:
            sentences[index] = rewritten(sentences[index], text)
    return Altered(with_sentences(case, tuple(sentences)), ORIGINAL, own_description(case))


def reword(sentence: str) -> str | None:
    """The sentence in other words; None where no rule fits, or it would say something else."""
    text = _framed(sentence)
    for pattern, word in _SYNONYMS:
        text = pattern.sub(partial(_replaced, word), text)
    same = tag(text) == tag(sentence) and classify(text) == classify(sentence)
    if text == sentence or not same or read_sizes_mm(text) != read_sizes_mm(sentence):
        return None
    return text


def _framed(sentence: str) -> str:
    for pattern, frame in _FRAMES:
        match = pattern.fullmatch(sentence)
        if match:
            parts = {name: part[0].lower() + part[1:] for name, part in match.groupdict().items()}
            text = frame.format(**parts)
            return text[0].upper() + text[1:]
    return sentence


def _replaced(word: str, match: re.Match[str]) -> str:
    text, like = match.expand(word), match.group()
    return text[0].upper() + text[1:] if like[0].isupper() else text
