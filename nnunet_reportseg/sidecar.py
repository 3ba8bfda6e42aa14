"""The sidecar ``reports.json``: which report, and which findings, belong to which case.

Format version 1, validated with pydantic and published as ``docs/reports.schema.json``::

    {"reportseg_version": 1,
     "cases": {"case_001": {"report": "FINDINGS: ...",
                            "findings": [{"id": "1", "text": "8 mm nodule ...", "label_values": [1, 3]}]},
               "case_002": {"report_file": "reports/case_002.txt"},
               "case_003": {"report": null}}}

A missing report is declared (``null``); a case that is not in the file is an error with the case's name, never a
silent zero.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.errors import SidecarError
from nnunet_reportseg.sidecar_format import (
    SIDECAR_NAME,
    SIDECAR_VERSION,
    CaseEntry,
    Finding,
    SidecarFile,
    as_json,
    has_words,
    name_some,
    read_sidecar,
    validate,
)
from nnunet_reportseg.text_file import read_text

__all__ = ["SIDECAR_NAME", "SIDECAR_VERSION", "CaseEntry", "Finding", "Sidecar"]

logger = logging.getLogger(__name__)


class Sidecar:
    """The reports of a set of cases.

    Build one with `load` or `from_cases`. Reports in ``report_file`` are read when they are first asked for, and all
    of them by `require_cases`, so that a broken file stops a run before it starts.
    """

    def __init__(self, cases: Mapping[str, CaseEntry], *, path: Path | None = None) -> None:
        """Keep a copy of the entries; ``path`` is where relative ``report_file`` names start from."""
        self.path = path
        self._cases = dict(cases)
        self._texts: dict[str, str | None] = {}

    @classmethod
    def load(cls, path: Path) -> Sidecar:
        """Read and validate a sidecar.

        Args:
            path: The JSON file.

        Returns:
            The sidecar; texts in other files are not read yet.

        Raises:
            SidecarError: The file is missing, unreadable, not JSON, of another version, or breaks the schema. All
                schema violations are named, not only the first.
        """
        path = Path(path)
        return cls(read_sidecar(path).cases, path=path)

    @classmethod
    def from_cases(cls, cases: Mapping[str, CaseEntry | Mapping[str, Any]], *, path: Path | None = None) -> Sidecar:
        """Build a sidecar in memory from entries or from the same plain values as in the JSON file.

        Raises:
            SidecarError: An entry breaks the schema.
        """
        plain = {case: as_json(e) if isinstance(e, CaseEntry) else dict(e) for case, e in cases.items()}
        return cls(validate({"reportseg_version": SIDECAR_VERSION, "cases": plain}, path).cases, path=path)

    @property
    def case_ids(self) -> tuple[str, ...]:
        """All cases, in the order of the file."""
        return tuple(self._cases)

    def __len__(self) -> int:
        """Number of cases."""
        return len(self._cases)

    def __contains__(self, case_id: object) -> bool:
        """Whether the sidecar says anything about a case, ``null`` included."""
        return case_id in self._cases

    def entry(self, case_id: str) -> CaseEntry:
        """Return the entry of a case.

        Raises:
            SidecarError: The case is not in the sidecar.
        """
        if case_id not in self._cases:
            raise self._no_entry([case_id])
        return self._cases[case_id]

    def findings(self, case_id: str) -> tuple[Finding, ...]:
        """Return the findings of a case; empty when none are listed.

        Raises:
            SidecarError: The case is not in the sidecar.
        """
        return self.entry(case_id).findings

    def report_text(self, case_id: str) -> str | None:
        """Return the report of a case, or ``None`` where the sidecar declares that there is none.

        Raises:
            SidecarError: The case is not in the sidecar, or its ``report_file`` is unreadable, not UTF-8 or empty.
        """
        if case_id not in self._texts:
            entry = self.entry(case_id)
            self._texts[case_id] = entry.report if entry.report_file is None else self._read_report(case_id, entry)
        return self._texts[case_id]

    def require_cases(self, case_ids: Iterable[str], *, missing_report: Literal["error", "null"] = "error") -> Sidecar:
        """Make sure that every one of these cases has an entry whose report can be read.

        Args:
            case_ids: The cases of a dataset or of an input folder.
            missing_report: ``"error"`` refuses absent cases by name; ``"null"`` gives them a null report, which this
                sidecar then remembers, and logs that once per case.

        Returns:
            This sidecar.

        Raises:
            SidecarError: Cases are absent (with ``"error"``), or a report cannot be read.
        """
        wanted = list(case_ids)
        absent = [case for case in wanted if case not in self._cases]
        if absent and missing_report == "error":
            raise self._no_entry(absent)
        for case in absent:
            if case not in self._cases:
                logger.warning("case '%s': no entry in %s, using the null report", case, self._file)
                self._cases[case] = CaseEntry(report=None)
        for case in wanted:
            self.report_text(case)
        return self

    def require_known(self, case_ids: Iterable[str]) -> Sidecar:
        """Make sure that the sidecar names no case outside ``case_ids``.

        Raises:
            SidecarError: A case of the sidecar is not among ``case_ids``.
        """
        known = set(case_ids)
        unknown = [case for case in self._cases if case not in known]
        if unknown:
            raise SidecarError.about(
                f"{len(unknown)} case(s) of the sidecar have no image: {name_some(unknown)}",
                case=unknown[0],
                file=self._file,
                fix="correct the case name (the image's file name without _0000 and file ending) or remove the entry",
            )
        return self

    def resolved(self) -> Sidecar:
        """Return a copy with every ``report_file`` replaced by its text, so that the file can be moved.

        Raises:
            SidecarError: A report cannot be read.
        """
        cases = {
            case: CaseEntry(report=self.report_text(case), findings=entry.findings, origin=entry.origin)
            for case, entry in self._cases.items()
        }
        return Sidecar(cases, path=self.path)

    def write(self, path: Path) -> None:
        """Write the sidecar atomically: the old file stays until the new one is complete.

        Raises:
            SidecarError: An entry has a ``report_file`` that would point elsewhere from the new place.
        """
        path = Path(path)
        moved = self.path is None or self.path.parent.resolve() != path.parent.resolve()
        for case, entry in self._cases.items():
            if moved and entry.report_file is not None and not Path(entry.report_file).is_absolute():
                raise SidecarError.about(
                    "report_file is relative to a sidecar in another folder",
                    case=case,
                    file=path,
                    value=entry.report_file,
                    fix="write sidecar.resolved() instead, which holds the texts",
                )
        cases = {case: as_json(entry) for case, entry in self._cases.items()}
        data = {"reportseg_version": SIDECAR_VERSION, "cases": cases}
        write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12) of the file, as published in ``docs/reports.schema.json``."""
        schema = SidecarFile.model_json_schema()
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}

    @property
    def _file(self) -> Path | str:
        return self.path if self.path is not None else SIDECAR_NAME

    def _no_entry(self, cases: Sequence[str]) -> SidecarError:
        return SidecarError.about(
            f"{len(cases)} case(s) have no entry in the sidecar: {name_some(cases)}",
            case=cases[0],
            file=self._file,
            fix='add each case, with "report": null where there is no report, or choose --missing-report null '
            "(for nnU-Net's own commands: export REPORTSEG_MISSING_REPORT=null)",
        )

    def _read_report(self, case_id: str, entry: CaseEntry) -> str:
        base = self.path.parent if self.path is not None else Path()
        file = base / str(entry.report_file)
        text = read_text(
            file,
            SidecarError,
            what="the report file",
            absent=f"correct report_file in {self._file} (it is relative to that file) or the file's permissions",
            case=case_id,
        )
        if not has_words(text):
            raise SidecarError.about(
                f"the report file {'holds no words' if text.strip() else 'is empty'}",
                case=case_id,
                file=file,
                value=text[:40],
                fix=f'write the report into it, or "report": null into {self._file} if there is none',
            )
        return text
