"""Labels of real reports made by reading them before any prediction was seen.

They hold places in the cells of `chest_ct_reports_1564.csv.gz`, never text: its licence does not let the reports into
the repository. `mentions_random.csv` was drawn at random over words for findings, half of it from sentences with words
of doubt or of the past. `size_cases.tsv`, `layouts.txt` and `assertion_cases.tsv` are hand-written and hold their own
sentences.
"""

from __future__ import annotations

import csv
import gzip
from functools import cache
from pathlib import Path

from tests.real_data import REPORTS

HERE = Path(__file__).parent


def read_rows(name: str) -> list[dict[str, str]]:
    """Rows of a file of labels."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        if name.endswith(".tsv"):
            return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return list(csv.DictReader(file))


@cache
def read_reports() -> dict[str, dict[str, str]]:
    """The real reports by the name that the labels give them."""
    with gzip.open(REPORTS, "rt", encoding="utf-8", newline="") as file:
        return {report_name(row["VolumeName"]): row for row in csv.DictReader(file)}


def report_name(volume: str) -> str:
    """Name of a report: "valid_1_a" of the volume "valid_1_a_1.nii.gz"."""
    return "_".join(volume.removesuffix(".nii.gz").split("_")[:3])


def lengths(text: str | None) -> tuple[float, ...]:
    """Numbers of a field, separated by semicolons."""
    return tuple(float(number) for number in (text or "").split(";") if number)
