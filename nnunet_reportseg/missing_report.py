"""What to do with a case that the sidecar does not mention.

nnU-Net's own commands have no flag for it, so the choice lives in the environment: ``--missing-report`` of our commands
falls back to the variable, and sets it for nnU-Net.
"""

from __future__ import annotations

import os
from typing import Literal, cast

from nnunet_reportseg.errors import SidecarError

MISSING_REPORT_VARIABLE = "REPORTSEG_MISSING_REPORT"
MissingReport = Literal["error", "null"]


def missing_report_policy() -> MissingReport:
    """``error`` (default): refuse; ``null``: go on without a report, announced once per case.

    Raises:
        SidecarError: the variable has another value.
    """
    policy = os.environ.get(MISSING_REPORT_VARIABLE) or "error"
    if policy not in ("error", "null"):
        raise SidecarError.about(
            f"{MISSING_REPORT_VARIABLE} must be 'error' or 'null'",
            value=policy,
            fix=f"export {MISSING_REPORT_VARIABLE}=error",
        )
    return cast(MissingReport, policy)
