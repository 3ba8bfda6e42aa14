"""Stated sizes changed: numbers doubled or halved, words of size exchanged.

Only where size is what the reports of a generated dataset name lesions by is the target known: it is the other lesion.
"""

from __future__ import annotations

import re

from nnunet_reportseg.audit.altered import Altered, NotApplicable, Target, rewritten, with_sentences
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.deciding import NONE_DECIDES, deciding_sentences
from text_conditioning.sizes import read_sizes_mm

_PAIRS = (("larger", "smaller"), ("largest", "smallest"), ("large", "small"), ("bigger", "lesser"), ("big", "little"))
_OTHER = {**dict(_PAIRS), **{small: large for large, small in _PAIRS}}
_LARGE = frozenset(large for large, _ in _PAIRS)
# words of size that belong to a name: small cell carcinoma, large bowel, lesser sac
_NAMED = r"(?![\s-]+(?:cells?|bowel|intestin\w+|vessels?|airways?|sac|curvature|omentum|trochanter|tubercle)\b)"
_WORD = re.compile(r"\b(?:" + "|".join(_OTHER) + rf")\b{_NAMED}", re.IGNORECASE)
_NUMBER = r"\d+(?:[.,]\d+)?"
_NUMBERS = re.compile(
    rf"{_NUMBER}(?:\s*(?:x|\u00d7|by|to|-|\u2013)\s*{_NUMBER})*(?=\s*-?\s*(?:mm|cm)\b)", re.IGNORECASE
)


def change_sizes(sentence: str) -> str | None:
    """The sentence about another size; None where it names none, or the numbers cannot be changed by rule."""
    words = [match.group().lower() for match in _WORD.finditer(sentence)]
    sizes = read_sizes_mm(sentence)
    if not words and not sizes:
        return None
    factor = 0.5 if any(word in _LARGE for word in words) else 2.0
    text = _WORD.sub(lambda match: _cased(_OTHER[match.group().lower()], match.group()), sentence)
    text = _NUMBERS.sub(lambda match: re.sub(_NUMBER, lambda n: _scaled(n.group(), factor), match.group()), text)
    wanted = tuple(round(size * factor, 1) for size in sizes)
    return text if tuple(round(size, 1) for size in read_sizes_mm(text)) == wanted else None


def size_changed(case: AuditCase) -> Altered | NotApplicable:
    """Every size in the deciding sentences changed."""
    deciding = deciding_sentences(case.report)
    if not deciding:
        return NotApplicable(NONE_DECIDES)
    sentences = list(case.report.sentences)
    changed = {index: change_sizes(sentences[index].text) for index in deciding}
    if not any(changed.values()):
        return NotApplicable("no deciding sentence states a size")
    for index, text in changed.items():
        if text is not None:
            sentences[index] = rewritten(sentences[index], text)
    report = with_sentences(case, tuple(sentences))
    known = case.lesions
    others = [] if known is None else [lesion.value for lesion in known.lesions if lesion.value != known.described]
    if known is None or known.named_by != ("size",) or len(others) != 1:
        return Altered(report, None)
    return Altered(report, Target(lesion=others[0]), others[0])


def _scaled(number: str, factor: float) -> str:
    text = f"{float(number.replace(',', '.')) * factor:.3f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if "," in number else text


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word
