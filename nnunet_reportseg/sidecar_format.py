"""The format of ``reports.json``: the pydantic models, and reading a file into them with messages that help.

`nnunet_reportseg.sidecar` builds on this; the JSON Schema in ``docs/reports.schema.json`` is generated from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from nnunet_reportseg.errors import SidecarError, describe
from nnunet_reportseg.text_file import read_json_object, unusable_character

SIDECAR_VERSION = 1
SIDECAR_NAME = "reports.json"

_MAX_NAMED = 20
_OWN = "reportseg"
_NO_REPORT = 'write "report": null if there is no report'


def _refusal(problem: str, fix: str, value: object = None) -> PydanticCustomError:
    """A violation that carries its own fix, and a value where the whole input would say too much."""
    return PydanticCustomError(_OWN, "{problem}", {"problem": problem, "fix": fix, "value": value})


def _usable(text: str) -> str:
    character = unusable_character(text)
    if character is not None:
        raise _refusal(f"the text holds {character}, which no file can hold", "remove or correct this character")
    return text


Origin = Literal["template", "masks"]
_LabelValue = Annotated[int, Field(strict=True, gt=0)]
_Text = Annotated[str, AfterValidator(_usable)]


class Finding(BaseModel):
    """One finding of a report, and the values it has in the label file.

    Attributes:
        id: Name of the finding, unique within its case.
        text: The words that describe it, as they stand in the report.
        label_values: Voxel values in ``labelsTr`` that belong to it; several where findings overlap.
        exhaustive: Whether these voxels are all that there are of it; false where further instances may be unlabelled.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Text = Field(min_length=1)
    text: _Text = Field(min_length=1)
    label_values: tuple[_LabelValue, ...] = ()
    exhaustive: Annotated[bool, Field(strict=True)] = True

    @field_validator("text")
    @classmethod
    def _text_has_words(cls, text: str) -> str:
        if not has_words(text):
            raise _refusal("the text of a finding has no words", "quote the words of the report", text)
        return text


class CaseEntry(BaseModel):
    """What the sidecar says about one case: exactly one of ``report`` and ``report_file``.

    Attributes:
        report: The report's text, or ``None`` for a declared missing report.
        report_file: A UTF-8 text file, relative to the sidecar.
        findings: Findings of this report; optional.
        origin: Where the text comes from, if it is no report that somebody wrote about the image: ``template`` was
            filled from the attributes of a table, ``masks`` was written from the masks and can give them away.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"oneOf": [{"required": ["report"]}, {"required": ["report_file"]}]},
    )

    report: _Text | None = None
    report_file: Annotated[_Text | None, WithJsonSchema({"type": "string", "minLength": 1})] = None
    findings: tuple[Finding, ...] = ()
    origin: Annotated[Origin | None, WithJsonSchema({"type": "string", "enum": list(get_args(Origin))})] = None

    @model_validator(mode="after")
    def _exactly_one_source(self) -> CaseEntry:
        if {"report", "report_file"} <= self.model_fields_set:
            raise _refusal("both report and report_file are given", "keep one of them", self.report_file)
        if "report" not in self.model_fields_set and not self.report_file:
            raise _refusal("neither report nor report_file is given", _NO_REPORT)
        if self.report is not None and not has_words(self.report):
            empty = "holds no words" if self.report.strip() else "is empty"
            raise _refusal(f"the report {empty}", _NO_REPORT, self.report)
        return self

    @model_validator(mode="after")
    def _finding_ids_differ(self) -> CaseEntry:
        ids = [finding.id for finding in self.findings]
        repeated = sorted({name for name in ids if ids.count(name) > 1})
        if repeated:
            raise _refusal("findings share an id", "give every finding of a case an id of its own", name_some(repeated))
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
    plain: dict[str, Any] = dict(source)
    if entry.findings:
        plain["findings"] = [
            finding.model_dump(mode="json", exclude={"exhaustive"} if finding.exhaustive else None)
            for finding in entry.findings
        ]
    if entry.origin is not None:
        plain["origin"] = entry.origin
    return plain


def read_sidecar(path: Path) -> SidecarFile:
    """Read and validate a sidecar.

    Raises:
        SidecarError: The file is missing, unreadable, not UTF-8, not JSON, uses a name twice in one object, is of
            another version or breaks the schema.
    """
    data = read_json_object(
        path,
        SidecarError,
        what="the sidecar",
        absent=f"put a {SIDECAR_NAME} there (format: docs/reports.schema.json); a prediction takes another with -r",
        start='start from {"reportseg_version": 1, "cases": {}}',
    )
    return validate(data, path)


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
    message = f"{field}: {problem['msg']}" if field else problem["msg"]
    own = problem["ctx"] if problem["type"] == _OWN else {}
    fix = own.get("fix") or _FIXES.get(problem["type"], "follow docs/reports.schema.json")
    value = own.get("value")
    return describe(
        message, case=case, file=path or SIDECAR_NAME, value=problem["input"] if value is None else value, fix=fix
    )


_FIXES = {
    "model_type": 'write {"report": "..."}, or {"report": null} if there is no report',
    "greater_than": "name voxel values of the finding in labelsTr; 0 is background, so they start at 1",
    "extra_forbidden": "remove or correct this name; docs/reports.schema.json lists the allowed ones",
    "missing": "add it",
    "tuple_type": "write a list in [ ]",
    "dict_type": "write an object in { }",
    "string_type": "write a string in quotes",
    "string_unicode": "remove or correct the character that no file can hold",
    "string_too_short": "write at least one character",
    "literal_error": "write one of the allowed words, or leave it out",
    "int_type": "write a whole number without quotes",
    "bool_type": "write true or false without quotes",
}
