"""What a grounding model is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.errors import ModelMismatchError


def require_question(conditioning: ReportConditioning, reports: Sequence[CaseReport]) -> None:
    """Make sure that a grounding model is asked for something.

    Raises:
        ModelMismatchError: it is not; names the case.
    """
    silent = next((report for report in reports if conditioning.adapter.grounding and not report.asked), None)
    if silent is not None:
        raise ModelMismatchError.about(
            "the model segments one finding at a time and was not asked for any",
            case=silent.case_id,
            fix="reportseg predict --finding TEXT; in Python CaseReport.asking, MultiReportPredictor.segment_reports",
        )
