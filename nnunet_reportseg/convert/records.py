"""What a conversion remembers of each finished case, so that a run that was stopped goes on where it was.

A record is written when all files of its case are in place. It holds a fingerprint of everything that the case was made
from; a case whose fingerprint differs is converted again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.convert.case import Converted, SourceCase
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry
from nnunet_reportseg.sidecar_format import as_json
from nnunet_reportseg.version import __version__


def fingerprint(case: SourceCase, *, ending: str, copy: bool) -> str:
    """A hash of what a case is made from: text, names, sizes and times of change of its files.

    Raises:
        DatasetError: A file is missing.
    """
    files = [[str(file), file.stat().st_size, file.stat().st_mtime_ns] for file in _files(case)]
    content = [__version__, case.case_id, case.split, as_json(case.entry), dict(case.facts), files, ending, copy]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_record(file: Path, expected: str) -> Converted | None:
    """What a finished case gave; ``None`` where it is not finished, or was made from something else."""
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["fingerprint"] != expected:
            return None
        entry = CaseEntry.model_validate(content["entry"])
        return Converted(entry, frozenset(content["values"]), tuple(content["notes"]))
    except (ValueError, LookupError, TypeError):  # a crash of the machine can leave an empty file
        return None


def write_record(file: Path, found: str, converted: Converted) -> None:
    """Remember a finished case."""
    content = {
        "fingerprint": found,
        "entry": as_json(converted.entry),
        "values": sorted(converted.values),
        "notes": converted.notes,
    }
    write_text(file, json.dumps(content, ensure_ascii=False))


def _files(case: SourceCase) -> Iterator[Path]:
    for path in case.inputs:
        if not path.exists():
            raise DatasetError.about("a file of the case is missing", case=case.case_id, file=path, fix="add it")
        yield from sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
