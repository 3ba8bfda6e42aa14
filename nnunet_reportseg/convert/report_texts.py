"""The reports of a folder of one's own: one text file per case, or one CSV file with one row per case."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nnunet_reportseg.convert.table import by_key, read_table
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar_format import has_words
from nnunet_reportseg.text_file import read_text
from text_conditioning.errors import ReportTextError
from text_conditioning.reports import parse_report

CASE_COLUMN, REPORT_COLUMN = "case", "report"


def require_words(text: str, *, case: str, file: Path) -> str:
    """Return the text.

    Raises:
        DatasetError: It holds no word, or is no plain text.
    """
    if not has_words(text):
        raise DatasetError.about(
            "the report is empty",
            case=case,
            file=file,
            value=text[:40],
            fix="write the report, or take the case away (some converters have --missing-report null)",
        )
    try:
        parse_report(text)
    except ReportTextError as error:
        raise DatasetError.about(
            f"the report cannot be read ({error.problem})", case=case, file=file, value=text[:40], fix="give plain text"
        ) from error
    return text


class ReportTexts:
    """Looks up the report of a case."""

    def __init__(self, path: Path, *, missing_report: Literal["error", "null"] = "error") -> None:
        """Read the table, if it is one.

        Args:
            path: A folder of ``<case>.txt``, or a CSV or Excel file with the columns ``case`` and ``report``.
            missing_report: ``"null"``: a case without a file or row has no report.

        Raises:
            DatasetError: The path does not exist, or the table cannot be used.
        """
        self._path = path
        self._missing_report = missing_report
        self._rows = None
        if not path.is_dir():
            rows = read_table(path, (CASE_COLUMN, REPORT_COLUMN), optional=())
            self._rows = by_key(rows, CASE_COLUMN, path)

    def source(self, case: str) -> Path:
        """The file that holds the report of a case."""
        return self._path / f"{case}.txt" if self._rows is None else self._path

    def text(self, case: str) -> str | None:
        """The report; ``None`` where it is missing and may be.

        Raises:
            DatasetError: It is missing, empty or unreadable.
        """
        file = self.source(case)
        if self._rows is None:
            missing = not file.is_file()
        else:
            missing = case not in self._rows
        if missing:
            if self._missing_report == "null":
                return None
            raise DatasetError.about(
                "the case has no report", case=case, file=file, fix="add it, or choose --missing-report null"
            )
        if self._rows is None:
            text = read_text(file, DatasetError, what="the report", absent="check the file", case=case)
        else:
            text = self._rows[case][REPORT_COLUMN]
        return require_words(text, case=case, file=file)

    def require_all_used(self, cases: list[str]) -> None:
        """Make sure that no report belongs to a case that is not there.

        Raises:
            DatasetError: A report has no case; a misspelled name would otherwise lose it.
        """
        named = sorted(file.stem for file in self._path.glob("[!.]*.txt")) if self._rows is None else list(self._rows)
        unknown = [name for name in named if name not in set(cases)]
        if unknown:
            raise DatasetError.about(
                f"{len(unknown)} reports have no image",
                case=unknown[0],
                file=self._path,
                value=unknown[0],
                fix="name the report like the image (without channel number and ending), or remove it",
            )
