"""What the report says to be there, denied."""

from __future__ import annotations

from nnunet_reportseg.audit.altered import Altered, NotApplicable, Target, rewritten, with_sentences
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.deciding import NONE_DECIDES, deciding_sentences
from text_conditioning.denial import deny


def negated(case: AuditCase) -> Altered | NotApplicable:
    """Every deciding sentence denied; with label values, the denied findings leave the target."""
    deciding = deciding_sentences(case.report)
    if not deciding:
        return NotApplicable(NONE_DECIDES)
    sentences = list(case.report.sentences)
    for index in deciding:
        text = deny(sentences[index].text)
        if text is None:
            return NotApplicable("a deciding sentence cannot be denied by rule")
        sentences[index] = rewritten(sentences[index], text)
    values = frozenset(value for group in case.finding_groups for value in group)
    return Altered(with_sentences(case, tuple(sentences)), Target(removed=values) if values else None)
