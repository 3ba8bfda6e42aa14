"""Categories of findings: a CSV with ``case``, ``finding`` (its id) and ``category``, or a ``conversion.json``."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.evaluation.finding_pairs import CaseFindings
from nnunet_reportseg.text_file import read_json_object, read_text

logger = logging.getLogger(__name__)

COLUMNS = ("case", "finding", "category")


def read_categories(file: Path) -> dict[tuple[str, str], str]:
    """Read the table, or what `reportseg convert rexgroundingct` left beside the dataset.

    Args:
        file: CSV in UTF-8, with a header; further columns are allowed. Or a ``conversion.json``.

    Returns:
        The category by case and finding.

    Raises:
        DatasetError: The file is unreadable, lacks a column or an entry, or names a finding twice; or a
            ``conversion.json`` knows no categories.
    """
    if file.suffix == ".json":
        return _of_conversion(file)
    text = read_text(file, DatasetError, what="the table of categories", absent="name an existing CSV file")
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        return _of_rows(rows, file)
    except csv.Error as error:
        raise DatasetError.about(
            f"what follows line {rows.line_num} is no CSV ({error})",
            file=file,
            fix="save it as CSV with commas and double quotes",
        ) from error


def _of_rows(rows: csv.DictReader[str], file: Path) -> dict[tuple[str, str], str]:
    header = rows.fieldnames or []
    if not set(COLUMNS) <= set(header):
        raise DatasetError.about(
            "the table of categories lacks a column", file=file, value=list(header), fix=f"name {', '.join(COLUMNS)}"
        )
    categories: dict[tuple[str, str], str] = {}
    for row in rows:
        case, finding, category = (row[column] for column in COLUMNS)
        if not case or not finding or not category:
            raise DatasetError.about(
                f"line {rows.line_num} lacks an entry", file=file, value=row, fix=f"fill in {', '.join(COLUMNS)}"
            )
        if (case, finding) in categories:
            raise DatasetError.about(
                f"line {rows.line_num} names a finding again", case=case, file=file, value=finding, fix="keep one line"
            )
        categories[case, finding] = category
    return categories


def _of_conversion(file: Path) -> dict[tuple[str, str], str]:
    fix = "name the conversion.json of a converted dataset that has categories, or a CSV file"
    content = read_json_object(file, DatasetError, what="the table of categories", absent=fix, start=fix)
    cases = content.get("cases")
    categories = {
        (case, finding): str(category)
        for case, facts in (cases.items() if isinstance(cases, dict) else ())
        for finding, category in _categories(facts).items()
    }
    if not categories:
        raise DatasetError.about("the file holds no categories of findings", file=file, fix=fix)
    return categories


def _categories(facts: object) -> Mapping[str, object]:
    found = facts.get("categories") if isinstance(facts, dict) else None
    return found if isinstance(found, dict) else {}


def require_categories_known(categories: Mapping[tuple[str, str], str], cases: Sequence[CaseFindings]) -> None:
    """Make sure that a table of categories fits the scored cases; a finding without a category is logged.

    Args:
        categories: By case and finding, from `read_categories`.
        cases: What is scored; the table may hold other cases too.

    Raises:
        DatasetError: The table names a finding that a scored case does not have.
    """
    known = {case.case: {finding.id for finding, _ in case.findings} for case in cases}
    for case, finding in categories:
        if case in known and finding not in known[case]:
            raise DatasetError.about(
                "the table of categories names a finding that the sidecar does not declare",
                case=case,
                value=finding,
                fix="correct the finding's id in the table",
            )
    without = sum((case, finding) not in categories for case, ids in known.items() for finding in ids)
    if without:
        logger.warning("%d of %d findings have no category", without, sum(map(len, known.values())))
