"""The files: ``audit.json`` (format 1), ``audit.csv``, ``audit.png``; none is written before all are made."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from nnunet_reportseg.atomic_write import write_bytes, write_text
from nnunet_reportseg.audit.run import Audit
from nnunet_reportseg.audit.scores import Record
from nnunet_reportseg.errors import DatasetError

AUDIT_VERSION = 1
AUDIT_JSON, AUDIT_CSV, AUDIT_PNG = "audit.json", "audit.csv", "audit.png"


def write_audit(audit: Audit, folder: Path) -> tuple[Path, ...]:
    """Write all files.

    Returns:
        The files.
    """
    from nnunet_reportseg.audit.figure import draw_audit

    text, table, picture = to_json(audit), to_csv(audit), draw_audit(audit)
    paths = tuple(folder / name for name in (AUDIT_JSON, AUDIT_CSV, AUDIT_PNG))
    write_text(paths[0], text)
    write_text(paths[1], table)
    write_bytes(paths[2], picture)
    return paths


def require_place(folder: Path) -> None:
    """Make sure, before an audit starts, that its files can be written.

    Raises:
        DatasetError: the folder is a file or cannot be made or written to, or a folder has the name of a file.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise DatasetError.about(
            "the results cannot be written there", file=folder, value=there, fix="give another folder with -o"
        )
    for name in (AUDIT_JSON, AUDIT_CSV, AUDIT_PNG):
        if (folder / name).is_dir():
            raise DatasetError.about("a folder has the name of a result", file=folder / name, fix="move it away")


def to_json(audit: Audit) -> str:
    """The content of ``audit.json``. It holds no report text."""
    content: dict[str, Any] = {
        "audit_version": AUDIT_VERSION,
        "verdict": asdict(audit.verdict) | {"thresholds": dict(audit.verdict.thresholds)},
        "facts": dict(audit.facts),
        "conditions": {name: asdict(summary) for name, summary in audit.summaries.items()},
        "cases": list(audit.cases),
        "without_report": list(audit.without_report),
        "skipped": [dict(zip(("case", "condition", "reason"), entry, strict=True)) for entry in audit.skipped],
        "scores": [asdict(record) for record in audit.records],
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def to_csv(audit: Audit) -> str:
    """The content of ``audit.csv``: a row per case and condition; what is not known is left empty."""
    names = [field.name for field in fields(Record)]
    table = io.StringIO()
    writer = csv.DictWriter(table, [*names, "skipped"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in audit.records)
    writer.writerows({"case": c, "condition": n, "skipped": reason} for c, n, reason in audit.skipped)
    return table.getvalue()
