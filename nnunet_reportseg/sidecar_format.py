"""The format of ``reports.json``: the pydantic models, and reading a file into them with messages that help.

`nnunet_reportseg.sidecar` builds on this; the JSON Schema in ``docs/reports.schema.json`` is generated from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, field_validator, model_validator

from nnunet_reportseg.errors import SidecarError, describe

SIDECAR_VERSION = 1
SIDECAR_NAME = "reports.json"

_LabelValue = Annotated[int, Field(strict=True, gt=0)]
_MAX_NAMED = 20


class Finding(BaseModel):
    """One finding of a report, and the values it has in the label file.

    Attributes:
        id: Name of the finding, unique within its case.
        text: The words that describe it, as they stand in the report.
        label_values: Voxel values in ``labelsTr`` that belong to it; several where findings overlap.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    label_values: tuple[_LabelValue, ...] = ()

    @field_validator("text")
    @classmethod
    def _text_has_words(cls, text: str) -> str:
        if not has_words(text):
            raise ValueError("the text of a finding has no words")
        return text


class CaseEntry(BaseModel):
    """What the sidecar says about one case: exactly one of ``report`` and ``report_file``.

    Attributes:
        report: The report's text, or ``None`` for a declared missing report.
        report_file: A UTF-8 text file, relative to the sidecar.
        findings: Findings of this report; optional.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"oneOf": [{"required": ["report"]}, {"required": ["report_file"]}]},
    )

    report: str | None = None
    report_file: Annotated[str | None, WithJsonSchema({"type": "string", "minLength": 1})] = None
    findings: tuple[Finding, ...] = ()

    @model_validator(mode="after")
    def _exactly_one_source(self) -> CaseEntry:
        if {"report", "report_file"} <= self.model_fields_set:
            raise ValueError("both report and report_file are given; keep one of them")
        if "report" not in self.model_fields_set and not self.report_file:
            raise ValueError('neither report nor report_file is given; write "report": null if there is no report')
        if self.report is not None and not has_words(self.report):
            raise ValueError('the report is empty; write "report": null if there is no report')
        return self

    @model_validator(mode="after")
    def _finding_ids_differ(self) -> CaseEntry:
        ids = [finding.id for finding in self.findings]
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        if repeated:
            raise ValueError(f"finding ids must be unique within a case; given twice: {', '.join(repeated)}")
        return self


class SidecarFile(BaseModel):
    """The whole file, for validation and for the published JSON Schema."""

    model_config = ConfigDict(extra="forbid", title="nnunet-reportseg sidecar (reports.json)")

    reportseg_version: Literal[1]
    cases: dict[str, CaseEntry]


def has_words(text: str) -> bool:
    """Whether a text holds at least one letter."""
    return any(character.isalpha() for character in text)


def name_some(names: Sequence[str]) -> str:
    """List names for a message, the first twenty and how many more."""
    rest = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def as_json(entry: CaseEntry) -> dict[str, Any]:
    """Return the entry as it stands in the file, without unset fields."""
    source = {"report": entry.report} if entry.report_file is None else {"report_file": entry.report_file}
    findings = [finding.model_dump(mode="json") for finding in entry.findings]
    return {**source, "findings": findings} if findings else dict(source)


def read_json_object(path: Path) -> dict[str, Any]:
    """Read a file as one JSON object.

    Raises:
        SidecarError: The file is missing, unreadable, not UTF-8, not JSON, or uses a name twice in one object.
    """
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_no_repeated_keys)
    except OSError as error:
        raise SidecarError.about(
            f"the sidecar cannot be read: {error.strerror}",
            file=path,
            fix=f"put a {SIDECAR_NAME} there, or name another file with -r; docs/reports.schema.json has the format",
        ) from error
    except UnicodeDecodeError as error:
        raise SidecarError.about(
            f"the sidecar is not UTF-8 at byte {error.start}",
            file=path,
            value=error.object[error.start : error.start + 1],
            fix="save it as UTF-8, for example: iconv -f latin1 -t utf-8",
        ) from error
    except json.JSONDecodeError as error:
        raise SidecarError.about(
            f"the sidecar is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            file=path,
            value=error.doc[error.pos : error.pos + 20],
            fix="correct that line; python -m json.tool checks a file",
        ) from error
    except _RepeatedKeyError as error:
        raise SidecarError.about(
            "a name is used twice in the same object, so one of the two entries would be lost",
            case=error.key,
            file=path,
            value=error.key,
            fix="rename or remove one of them",
        ) from error
    if not isinstance(data, dict):
        raise SidecarError.about(
            "the sidecar must be a JSON object",
            file=path,
            value=type(data).__name__,
            fix='start from {"reportseg_version": 1, "cases": {}}',
        )
    return data


class _RepeatedKeyError(Exception):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _no_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _RepeatedKeyError(key)
        result[key] = value
    return result


def validate(data: Mapping[str, Any], path: Path | None) -> SidecarFile:
    """Check version and schema, and name every violation.

    Args:
        data: The parsed file.
        path: Where it came from, for the messages.

    Raises:
        SidecarError: The version is unknown or the schema is broken.
    """
    version = data.get("reportseg_version")
    if isinstance(version, bool) or version != SIDECAR_VERSION:
        raise SidecarError.about(
            "this version of the sidecar format is not known" if version is not None else "no reportseg_version",
            file=path or SIDECAR_NAME,
            value=version,
            fix=f'write "reportseg_version": {SIDECAR_VERSION}, or install the release that wrote this file',
        )
    try:
        return SidecarFile.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        lines = [_schema_problem(problem, path) for problem in problems[:_MAX_NAMED]]
        if len(problems) > _MAX_NAMED:
            lines.append(f"and {len(problems) - _MAX_NAMED} more")
        raise SidecarError("\n".join(lines)) from error


def _schema_problem(problem: Any, path: Path | None) -> str:
    location = [str(part) for part in problem["loc"]]
    case = location[1] if len(location) > 1 and location[0] == "cases" else None
    field = ".".join(location[2:] if case is not None else location)
    own = problem["type"] == "value_error"
    message = problem["msg"].removeprefix("Value error, ")
    problem_text = f"{field}: {message}" if field else message
    if own and ";" in problem_text:
        problem_text, fix = (part.strip() for part in problem_text.split(";", 1))
    else:
        fix = _FIXES.get(problem["type"], "follow docs/reports.schema.json")
    return describe(problem_text, case=case, file=path or SIDECAR_NAME, value=_short(problem["input"]), fix=fix)


def _short(value: object) -> object:
    text = repr(value)
    return value if len(text) <= 80 else text[:77] + "..."


_FIXES = {
    "greater_than": "name voxel values of the finding in labelsTr; 0 is background, so they start at 1",
    "extra_forbidden": "remove or correct this name; docs/reports.schema.json lists the allowed ones",
    "missing": "add it",
    "string_type": "write a string in quotes",
    "int_type": "write a whole number without quotes",
}
