"""The deciding sentences moved behind 600 tokens of normal, varied filler: nothing may get lost in a long report."""

from __future__ import annotations

import re
import zlib

import numpy as np

from nnunet_reportseg.audit.altered import ORIGINAL, Altered, NotApplicable, own_description, with_sentences
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.deciding import NONE_DECIDES, deciding_sentences
from nnunet_reportseg.audit.filler_sentences import FRAMES, ORGANS
from nnunet_reportseg.case_reports import CaseReport
from text_conditioning.reports import Section, Sentence, read_sentence

FILLER_TOKENS = 600
LONG = "long"
_TOKEN = re.compile(r"\w+|[^\w\s]")  # words and marks; every encoder's word pieces are at least as many


def long(case: AuditCase, seed: int) -> Altered | NotApplicable:
    """Other sentences first, then filler, then what decides; or the long report that the dataset offers."""
    if LONG in case.given:
        report = with_sentences(case, case.given[LONG].sentences)
        return Altered(report, ORIGINAL, own_description(case))
    deciding = deciding_sentences(case.report)
    if not deciding:
        return NotApplicable(NONE_DECIDES)
    sentences = case.report.sentences
    others = tuple(s for index, s in enumerate(sentences) if index not in deciding)
    last = tuple(sentences[index] for index in deciding)
    filler = tuple(_sentence(text) for text in draw_filler(case.report, seed))
    return Altered(with_sentences(case, others + filler + last), ORIGINAL, own_description(case))


def draw_filler(report: CaseReport, seed: int) -> list[str]:
    """Different sentences of at least 600 tokens about organs that the report does not mention."""
    rng = np.random.default_rng([seed, zlib.crc32(report.case_id.encode())])
    words = {word for sentence in report.sentences for word in re.findall(r"[a-z]{4,}", sentence.text.lower())}
    organs = [organ for organ in ORGANS if not words & set(organ.split())]
    pool = [frame.format(organ=organ) for frame in FRAMES for organ in organs]
    chosen: list[str] = []
    tokens = 0
    for index in rng.permutation(len(pool)):
        if tokens >= FILLER_TOKENS:
            break
        chosen.append(pool[index])
        tokens += count_tokens(pool[index])
    return chosen


def count_tokens(text: str) -> int:
    """Words and punctuation marks."""
    return len(_TOKEN.findall(text))


def _sentence(text: str) -> Sentence:
    return read_sentence(text, Section.FINDINGS)
