"""Every way a sidecar can be wrong by itself, with what its message must name; used for the library and the CLI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class BadSidecar:
    """Bytes of a sidecar, of files beside it, and what the message has to contain besides the file's name."""

    content: bytes | None
    case: str
    value: str
    fix: str
    beside: tuple[tuple[str, bytes], ...] = ()
    named_file: str = "reports.json"

    def write(self, folder: Path) -> Path:
        for name, data in self.beside:
            (folder / name).write_bytes(data)
        file = folder / "reports.json"
        file.unlink(missing_ok=True)
        if self.content is not None:
            file.write_bytes(self.content)
        return file

    def assert_named_in(self, message: str) -> None:
        flat = " ".join(message.split())
        for part in (self.case, self.named_file, self.value, "Fix:", self.fix):
            assert part in flat


def _of(entry: Any, version: object = 1) -> bytes:
    cases = {"case_001": entry, "case_002": {"report": None}}
    return json.dumps({"reportseg_version": version, "cases": cases}).encode()


def _finding(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "text": "A nodule.", **fields}


_REPORT = "A nodule."
_FILE = {"report_file": "case_001.txt"}

BAD_SIDECARS = [
    pytest.param(BadSidecar(None, "", "No such file", "put a reports.json there"), id="missing"),
    pytest.param(
        BadSidecar(b'{"reportseg_version": 1,\n "cases": {,}}', "line 2, column 12", ",}}", "correct that line"),
        id="not JSON",
    ),
    pytest.param(BadSidecar(b"[]", "", "list", "start from {"), id="not an object"),
    pytest.param(BadSidecar(b"{}\xff", "byte 2", "xff", "save it as UTF-8"), id="not UTF-8"),
    pytest.param(BadSidecar("{}".encode("utf-16"), "", "looks like UTF-16", "iconv -f utf-16 -t utf-8"), id="UTF-16"),
    pytest.param(
        BadSidecar("{}".encode("utf-16-be"), "", "looks like UTF-16", "iconv -f utf-16be -t utf-8"), id="UTF-16 no BOM"
    ),
    pytest.param(BadSidecar(b"\0" * 64, "", "a NUL character at byte 0", "remove it"), id="zeros"),
    pytest.param(BadSidecar(b"[" * 200_000, "", "nested too deeply", "start from {"), id="nested very deeply"),
    pytest.param(
        BadSidecar(
            b'{"reportseg_version": 1, "cases": {"case_001": {"report": ' + b"[" * 800 + b"]" * 800 + b"}}}",
            "case 'case_001'",
            "found: [[[[...]]]]",
            "in quotes",
        ),
        id="nested deeply",
    ),
    pytest.param(
        BadSidecar(b'{"reportseg_version": ' + b"1" * 5000 + b"}", "", "a number that is too long", "start from {"),
        id="very long number",
    ),
    pytest.param(
        BadSidecar(_of({"report": _REPORT}, version=2), "", "found: 2", '"reportseg_version": 1'), id="wrong version"
    ),
    pytest.param(
        BadSidecar(_of({"report": _REPORT}, version=True), "", "found: True", '"reportseg_version": 1'),
        id="version true is not 1",
    ),
    pytest.param(
        BadSidecar(b'{"cases": {}}', "", "no reportseg_version", '"reportseg_version": 1'), id="version missing"
    ),
    pytest.param(
        BadSidecar(
            b'{"reportseg_version": 1, "cases": {"case_001": {"report": null}, "case_001": {"report": "x"}}}',
            "case 'case_001'",
            "used twice",
            "rename or remove",
        ),
        id="case twice",
    ),
    pytest.param(
        BadSidecar(_of({"report": _REPORT, **_FILE}), "case 'case_001'", "case_001.txt", "keep one of them"),
        id="report and report_file",
    ),
    pytest.param(
        BadSidecar(_of({"report": None, **_FILE}), "case 'case_001'", "case_001.txt", "keep one of them"),
        id="null and report_file",
    ),
    pytest.param(
        BadSidecar(_of("A nodule."), "case 'case_001'", "found: 'A nodule.'", 'write {"report": "..."}'),
        id="text as entry",
    ),
    pytest.param(BadSidecar(_of({}), "case 'case_001'", "found: {}", '"report": null'), id="neither"),
    pytest.param(BadSidecar(_of({"report": " \n"}), "case 'case_001'", "\\n", '"report": null'), id="empty text"),
    pytest.param(
        BadSidecar(_of({"report": "123"}), "case 'case_001'", "holds no words", '"report": null'), id="text of digits"
    ),
    pytest.param(BadSidecar(_of({"report": 5}), "case 'case_001'", "found: 5", "in quotes"), id="report is a number"),
    pytest.param(
        BadSidecar(_of({"reprot": _REPORT}), "case 'case_001'", "reprot", "remove or correct this name"), id="misspelt"
    ),
    pytest.param(
        BadSidecar(_of({"report": _REPORT, "origin": "model"}), "case 'case_001'", "found: 'model'", "allowed words"),
        id="unknown origin",
    ),
    pytest.param(
        BadSidecar(
            _of({"report": _REPORT, "findings": [_finding(), _finding()]}),
            "case 'case_001'",
            "findings share an id (found: '1')",
            "an id of its own",
        ),
        id="finding ids twice",
    ),
    pytest.param(
        BadSidecar(
            _of({"report": _REPORT, "findings": [_finding(label_values=[1, 0])]}),
            "case 'case_001'",
            "findings.0.label_values.1: Input should be greater than 0 (found: 0)",
            "start at 1",
        ),
        id="label value 0",
    ),
    pytest.param(
        BadSidecar(
            _of({"report": _REPORT, "findings": [_finding(label_values=[-3])]}),
            "case 'case_001'",
            "found: -3",
            "start at 1",
        ),
        id="label value negative",
    ),
    pytest.param(
        BadSidecar(
            _of({"report": _REPORT, "findings": [_finding(exhaustive="no")]}),
            "case 'case_001'",
            "found: 'no'",
            "write true or false",
        ),
        id="exhaustive in quotes",
    ),
    pytest.param(
        BadSidecar(_of({"report": _REPORT, "findings": [_finding(text="--")]}), "case 'case_001'", "'--'", "no words"),
        id="finding without words",
    ),
    pytest.param(
        BadSidecar(
            _of({"report": "A \ud800 nodule."}), "case 'case_001'", "report: the text holds U+D800", "remove or correct"
        ),
        id="lone surrogate in a report",
    ),
    pytest.param(
        BadSidecar(
            b'{"reportseg_version": 1, "cases": {"case_\\udfff": {"report": null}}}',
            "case 'case_\\udfff'",
            "a name holds U+DFFF",
            "rename or remove",
        ),
        id="lone surrogate in a case",
    ),
    pytest.param(
        BadSidecar(
            _of({"report_file": "a\0.txt"}),
            "case 'case_001'",
            "report_file: the text holds U+0000",
            "remove or correct",
        ),
        id="NUL in a file name",
    ),
]

BAD_REPORT_FILES = [
    pytest.param(
        BadSidecar(
            _of({"report_file": ".."}), "case 'case_001'", "Is a directory", "correct report_file", named_file=".."
        ),
        id="text file is a folder",
    ),
    pytest.param(
        BadSidecar(
            _of(_FILE),
            "case 'case_001'",
            "looks like UTF-16",
            "iconv -f utf-16le -t utf-8",
            beside=(("case_001.txt", "A nodule.".encode("utf-16-le")),),
            named_file="case_001.txt",
        ),
        id="text file UTF-16",
    ),
    pytest.param(
        BadSidecar(
            _of(_FILE),
            "case 'case_001'",
            "a NUL character at byte 9",
            "remove it",
            beside=(("case_001.txt", b"A nodule.\0"),),
            named_file="case_001.txt",
        ),
        id="text file with NUL",
    ),
    pytest.param(
        BadSidecar(_of(_FILE), "case 'case_001'", "No such file", "correct report_file", named_file="case_001.txt"),
        id="text file missing",
    ),
    pytest.param(
        BadSidecar(
            _of(_FILE),
            "case 'case_001'",
            "xe9",
            "save it as UTF-8",
            beside=(("case_001.txt", "opacité".encode("latin1")),),
            named_file="case_001.txt",
        ),
        id="text file not UTF-8",
    ),
    pytest.param(
        BadSidecar(
            _of(_FILE),
            "case 'case_001'",
            "is no text",
            "name a file of plain text",
            beside=(("case_001.txt", b"\x1f\x8b\x08\x08\xe9\x00image"),),
            named_file="case_001.txt",
        ),
        id="text file that is an image",
    ),
    pytest.param(
        BadSidecar(
            _of(_FILE),
            "case 'case_001'",
            "empty",
            '"report": null',
            beside=(("case_001.txt", b" \n"),),
            named_file="case_001.txt",
        ),
        id="text file empty",
    ),
]
