"""Whole reports that occur again, word for word, where one is trained on and the other is scored.

Reports share sentences, and that gives nothing away; so whole reports are compared, in lower case and with single
blanks. Among those that are the same, two kinds happen by chance and are counted apart: reports that find nothing
("normal chest"), and short ones, as templates and captions are: there are only so many of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnunet_reportseg.case_reports import parse_case_text
from nnunet_reportseg.leakage.case_groups import SharedGroup, shared_groups
from nnunet_reportseg.plain_words import plain_words
from nnunet_reportseg.sidecar import Sidecar
from nnunet_reportseg.splits import Split
from text_conditioning.assertion import Assertion
from text_conditioning.headings import Section

FEWEST_WORDS = 20
_STATED = (Assertion.PRESENT, Assertion.UNCERTAIN)
_OF_THE_IMAGE = (Section.FINDINGS, Section.IMPRESSION, Section.OTHER)
_NORMAL = re.compile(
    r"\b(?:normal(?:ly)?|unremarkable|clear|natural|intact|patent|open|preserved|regular|maintained|negative|"
    r"free\s+of|within\s+(?:the\s+)?(?:normal\s+)?limits)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class RepeatedReports:
    """Reports that training shares with validation or with the test set.

    Attributes:
        with_findings: These are suspicious; the key is the report.
        short: With findings, but of fewer than `FEWEST_WORDS` words.
        without_findings: They say that all is normal.
    """

    with_findings: tuple[SharedGroup, ...] = ()
    short: tuple[SharedGroup, ...] = ()
    without_findings: tuple[SharedGroup, ...] = ()


def find_repeated_reports(
    sidecar: Sidecar, cases: Sequence[str], test: Sidecar | None, test_cases: Sequence[str], splits: Sequence[Split]
) -> RepeatedReports:
    """Find them.

    Args:
        sidecar: Reports of the dataset.
        cases: Its cases.
        test: Reports of the test set, if there are any.
        test_cases: Its cases.
        splits: The folds.

    Raises:
        SidecarError: A report cannot be read.
    """
    texts = _texts(sidecar, cases)
    groups = shared_groups(texts, _texts(test, test_cases) if test is not None else {}, splits)
    sorted_out: dict[str, list[SharedGroup]] = {"with_findings": [], "short": [], "without_findings": []}
    for group in groups:
        # of one case that is in training and validation, the report is no further news
        if len(group.names) < 2:
            continue
        if not any(_finds_something(sidecar, case) for case in group.cases):
            sorted_out["without_findings"].append(group)
        else:
            sorted_out["short" if len(group.key.split()) < FEWEST_WORDS else "with_findings"].append(group)
    return RepeatedReports(**{kind: tuple(found) for kind, found in sorted_out.items()})


def _texts(sidecar: Sidecar, cases: Sequence[str]) -> Mapping[str, str]:
    texts = {case: sidecar.report_text(case) for case in cases if case in sidecar}
    return {case: plain_words(text) for case, text in texts.items() if text is not None}


def _finds_something(sidecar: Sidecar, case: str) -> bool:
    if any(finding.label_values for finding in sidecar.findings(case)):
        return True
    report = parse_case_text(str(sidecar.report_text(case)), sidecar, case)
    return any(
        statement.assertion in _STATED and statement.section in _OF_THE_IMAGE and _NORMAL.search(statement.text) is None
        for statement in report.statements
    )
