"""Tables that come with a dataset, CSV or Excel, as text: rows by column name, with messages that name the row."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar_format import name_some
from nnunet_reportseg.text_file import read_text

Row = dict[str, str]
_LONGEST_CELL = 2**24
# of an Excel file, which is a zip file with XML in it
_DAMAGED = (ElementTree.ParseError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, LookupError)


def read_table(file: Path, required: Sequence[str], *, optional: Sequence[str] | None = None) -> list[Row]:
    """Read a table; spaces around names and cells do not count, so that ``Histology `` is ``Histology``.

    Args:
        file: A CSV file (UTF-8, commas) or the first sheet of an Excel file (.xlsx).
        required: Columns that must be there.
        optional: Other columns that may be there; ``None`` allows any.

    Returns:
        The rows, empty cells as empty text.

    Raises:
        DatasetError: The file cannot be read, a column is missing, unknown or there twice, or a row has another
            number of cells.
    """
    lines = _excel(file) if file.suffix.lower() == ".xlsx" else _csv(file)
    names = [name.strip() for name in lines[0]] if lines else []
    missing = [name for name in required if name not in names]
    if missing:
        raise DatasetError.about(
            f"the table has no column {', '.join(map(repr, missing))}",
            file=file,
            value=names,
            fix=f"name the columns in its first row: {', '.join(required)}",
        )
    allowed = None if optional is None else {*required, *optional}
    wrong = [name for i, name in enumerate(names) if (allowed and name not in allowed) or (name in names[:i] and name)]
    if wrong:
        raise DatasetError.about(
            "a column of the table is not known, or is there twice",
            file=file,
            value=wrong[0],
            fix=f"remove or rename it; known columns: {', '.join([*required, *(optional or ())])}",
        )
    rows = []
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise DatasetError.about(
                f"row {number} has {len(cells)} cells, the first row has {len(names)}",
                case=cells[0],
                file=file,
                fix="put text that holds commas or line ends in double quotes",
            )
        rows.append({name: cell.strip() for name, cell in zip(names, cells, strict=True)})
    return rows


def by_key(rows: Sequence[Row], column: str, file: Path) -> dict[str, Row]:
    """Rows by the text in one column.

    Raises:
        DatasetError: Two rows have the same text there, or one has none.
    """
    found: dict[str, Row] = {}
    for row in rows:
        key = row[column]
        if not key or key in found:
            raise DatasetError.about(
                f"a row has no '{column}'" if not key else f"two rows have the same '{column}'",
                case=key or None,
                file=file,
                value=list(row.values())[:4],
                fix="keep one row per case",
            )
        found[key] = row
    return found


def require_row(rows: dict[str, Row], key: str, *, case: str, file: Path) -> Row:
    """The row of a case.

    Raises:
        DatasetError: There is none.
    """
    if key not in rows:
        raise DatasetError.about(
            f"the table has no row for the case (it has {name_some(list(rows)[:5])}, ...)",
            case=case,
            file=file,
            value=key,
            fix="add the row, or take the case's files away",
        )
    return rows[key]


def _csv(file: Path) -> list[list[str]]:
    text = read_text(file, DatasetError, what="the table", absent="check the path")
    limit = csv.field_size_limit(_LONGEST_CELL)  # of the whole process
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise DatasetError.about(
            f"the table is no CSV ({error})", file=file, fix="save it as CSV with commas and double quotes"
        ) from error
    finally:
        csv.field_size_limit(limit)


def _excel(file: Path) -> list[list[str]]:
    import pandas

    try:
        import openpyxl  # noqa: F401
    except ImportError as error:
        raise DatasetError.about(
            "reading .xlsx needs openpyxl", file=file, fix="pip install 'nnunet-reportseg[convert]'"
        ) from error
    try:
        frame: Any = pandas.read_excel(file, header=None, dtype=str, keep_default_na=False, engine="openpyxl")
    except _DAMAGED as error:
        raise DatasetError.about(f"the table cannot be read ({error})", file=file, fix="check the file") from error
    return [["" if cell is None or cell != cell else str(cell) for cell in row] for row in frame.values.tolist()]
