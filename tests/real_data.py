"""Real CT, nodules and reports, which are kept outside the repository; tests that need them are skipped without them.

`REPORTSEG_TEST_DATA` names their folder; by default it is `shared/data` beside the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("REPORTSEG_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
CHEST_CT = DATA / "ct_volumes" / "chest_ct_a.nii.gz"
NODULES = DATA / "lidc_nodules"
REPORTS = DATA / "reports" / "chest_ct_reports_1564.csv.gz"


def needs(*files: Path) -> pytest.MarkDecorator:
    """Skip a test where one of these is not there."""
    absent = [str(file) for file in files if not file.exists()]
    return pytest.mark.skipif(bool(absent), reason=f"no {', '.join(absent)}; REPORTSEG_TEST_DATA names the real data")
