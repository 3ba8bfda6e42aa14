"""Left and right exchanged in the whole report.

Sentences whose exchange would be anatomically false stay as they are, unless they decide: then the case is left out. In
generated datasets the exchanged report means the lesion on the other side, or nothing where there is none.
"""

from __future__ import annotations

from nnunet_reportseg.audit.altered import Altered, NotApplicable, Target, rewritten, with_sentences
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.deciding import NONE_DECIDES, deciding_sentences
from text_conditioning.laterality_swap import swap_laterality

_OTHER = {"left": "right", "right": "left"}


def laterality_swapped(case: AuditCase) -> Altered | NotApplicable:
    """The report of the mirrored patient."""
    deciding = deciding_sentences(case.report)
    if not deciding:
        return NotApplicable(NONE_DECIDES)
    sentences = list(case.report.sentences)
    exchanged = [swap_laterality(sentence.text) for sentence in sentences]
    if any(exchanged[index] is None for index in deciding):
        return NotApplicable("a deciding sentence has no mirror image (lingula, middle lobe, ...)")
    if all(exchanged[index] == sentences[index].text for index in deciding):
        return NotApplicable("no deciding sentence names a side")
    report = with_sentences(
        case,
        tuple(s if text is None else rewritten(s, text) for s, text in zip(sentences, exchanged, strict=True)),
    )
    known = case.lesions
    if known is None or "side" not in known.named_by or known.own.traits["side"] not in _OTHER:
        return Altered(report, None)
    meant = known.named({**known.own.traits, "side": _OTHER[known.own.traits["side"]]})
    return Altered(report, Target(lesion=meant), meant if meant and len(known.lesions) > 1 else None)
