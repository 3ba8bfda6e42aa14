"""The report as it is: on the image, and on nothing."""

from __future__ import annotations

from nnunet_reportseg.audit.altered import ORIGINAL, Altered, own_description
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.case_reports import CaseReport


def correct(case: AuditCase) -> Altered:
    """The case's own report."""
    return Altered(case.report, ORIGINAL, own_description(case))


def text_only(case: AuditCase) -> Altered:
    """The case's own report, the image zeroed: what the text alone gives away."""
    return Altered(case.report, ORIGINAL, own_description(case), blank=True)


def null(case: AuditCase) -> Altered:
    """No report. What is asked for then is a matter of the dataset, so no target is known."""
    return Altered(CaseReport(case.case_id), None)
