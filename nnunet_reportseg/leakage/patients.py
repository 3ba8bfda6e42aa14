"""Which patient a case is of, told from the name of the case; the sidecar knows none.

Without a pattern, names are read in the forms of a few published datasets, in which a patient has several cases. What
is named otherwise has no known patient: a guess from names at large would make patients of "case_1" and "case_2".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nnunet_reportseg.errors import DatasetError

# Source of each form; the first group is the patient.
KNOWN_FORMS: Mapping[str, re.Pattern[str]] = {
    "CT-RATE, ReXGroundingCT": re.compile(r"((?:train|valid|test)_\d+)_[a-z]+_\d+"),  # patient_scan_reconstruction
    "BUS-BRA": re.compile(r"(bus_\d+)-[lrs]"),
    "ACDC": re.compile(r"(patient\d+)_frame\d+"),
    "BIDS": re.compile(r"(sub-[A-Za-z0-9]+)_.+"),
}


@dataclass(frozen=True)
class Patients:
    """Patients by case.

    Attributes:
        of_case: The cases whose patient is known.
        source: How it is known.
    """

    of_case: Mapping[str, str]
    source: str


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Read the pattern of a user.

    Raises:
        DatasetError: It is no regular expression, or has no group.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise _wrong(f"this is no regular expression: {error}", pattern) from error
    if not compiled.groups:
        raise _wrong("this regular expression has no group", pattern)
    return compiled


def find_patients(cases: Iterable[str], pattern: str | None = None) -> Patients:
    """Tell the patients of cases.

    Args:
        cases: Names of cases.
        pattern: Regular expression that is searched in each name; its first group is the patient. None takes
            `KNOWN_FORMS`, which have to match the whole name.

    Raises:
        DatasetError: The pattern cannot be used, or finds a patient in no name.
    """
    names = list(cases)
    if pattern is None:
        matches = [
            (case, form, match) for case in names for form, p in KNOWN_FORMS.items() if (match := p.fullmatch(case))
        ]
        forms = dict.fromkeys(form for _, form, _ in matches)
        source = f"names of the form of {' and '.join(forms)}" if forms else "no name of a known form"
        return Patients({case: match[1] for case, _, match in matches}, source)
    compiled = compile_pattern(pattern)
    found = {case: match[1] for case in names if (match := compiled.search(case)) and match[1]}
    if not found:
        raise _wrong(f"this pattern finds a patient in none of {len(names)} names, such as '{names[0]}'", pattern)
    return Patients(found, f"pattern {pattern}")


def _wrong(problem: str, pattern: str) -> DatasetError:
    return DatasetError.about(problem, value=pattern, fix=r"give --patient-pattern such as '^(patient\d+)_'")
