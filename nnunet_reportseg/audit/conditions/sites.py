"""The report of another finding of the same image: the hardest question, because the image cannot help.

In generated datasets, the report of the sibling: same image, another lesion. Where findings have label values, the
report about one of them alone: sentences of the others are left out, as in sub-report training.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from nnunet_reportseg.audit.altered import Altered, NotApplicable, Target, with_sentences
from nnunet_reportseg.audit.cases import AuditCase

SWAPPED = "swapped"


def site_changed(case: AuditCase, cases: Mapping[str, AuditCase], seed: int) -> Altered | NotApplicable:
    """The report of another finding of the same image."""
    if case.lesions is not None:
        return _of_sibling(case, cases)
    groups = case.finding_groups
    if len(groups) < 2:
        return NotApplicable("the image has no second finding with label values")
    chosen = zlib.crc32(f"{seed} {case.case_id}".encode()) % len(groups)
    removed = frozenset().union(*groups) - groups[chosen]
    if not removed:
        return NotApplicable("the findings of the image share their label values")
    numbers = case.report.finding_groups()
    order = list(dict.fromkeys(numbers))  # as AuditCase.finding_groups
    part = case.report.part([number == order[chosen] for number in numbers])
    return Altered(with_sentences(case, part.sentences), Target(removed=removed), chosen)


def _of_sibling(case: AuditCase, cases: Mapping[str, AuditCase]) -> Altered | NotApplicable:
    sibling = cases.get(case.sibling or "")
    if sibling is None or sibling.lesions is None:
        return NotApplicable("the image has no second report")
    report = case.given.get(SWAPPED, sibling.report)
    described = sibling.lesions.described
    return Altered(with_sentences(case, report.sentences), Target(lesion=described), described)
