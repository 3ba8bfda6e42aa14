"""The reports of a test volume: in held-out wording, and the same task in other forms.

For each lesion there are, besides the report that the benchmark is scored with: ``seen_wording``, written with the
sentences of training; ``long``, the same report behind at least 600 tokens of filler; ``swapped``, the report of the
next lesion of the same volume, so that a network that reads finds that one instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnunet_reportseg.data.draft_report import DraftReport, Statement
from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.long_fillers import draw_long_filler
from nnunet_reportseg.data.report_style import ReportStyle

HELD_OUT, SEEN_WORDING, LONG, SWAPPED = "held_out", "seen_wording", "long", "swapped"
OTHER_FORMS = (SEEN_WORDING, LONG, SWAPPED)
HEADING = "FINDINGS: "

# For each form, the report of the case of each lesion, by the lesion's value.
TestReports = Mapping[str, Mapping[int, DraftReport]]


def write_test_reports(
    lesions: Sequence[Lesion], style: ReportStyle, rng: np.random.Generator, forms_rng: np.random.Generator
) -> TestReports:
    """Write the reports of a test volume in every form.

    Args:
        lesions: The lesions of the volume; each is described by one case.
        style: The reports of the benchmark.
        rng: For the reports in held-out wording.
        forms_rng: For the other forms, so that they leave the first stream as it is.
    """
    held_out = {lesion.value: style.test([lesion], lesions, rng) for lesion in lesions}
    seen = {lesion.value: style.training([lesion], lesions, forms_rng) for lesion in lesions}
    long = {value: _behind_filler(report, draw_long_filler(forms_rng)) for value, report in held_out.items()}
    values = [lesion.value for lesion in lesions]
    swapped = {value: held_out[following] for value, following in zip(values, values[1:] + values[:1], strict=True)}
    return {HELD_OUT: held_out, SEEN_WORDING: seen, LONG: long, SWAPPED: swapped}


def _behind_filler(report: DraftReport, filler: Sequence[str]) -> DraftReport:
    heading = HEADING if report.text.startswith(HEADING) else ""
    text = heading + " ".join([*filler, report.text.removeprefix(HEADING)])
    return DraftReport(text, (*(Statement(sentence) for sentence in filler), *report.statements))
