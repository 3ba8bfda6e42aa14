"""Typed errors of the plugin, one base class.

Every message names the case, the file, the value and the fix. The command line turns any of these into its message
on stderr and exit code 2; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import TypeVar

_Error = TypeVar("_Error", bound="ReportSegError")

# A value may be a whole report, or nested too deeply to be printed at all.
_VALUE = reprlib.Repr()
_VALUE.maxlevel = 3
_VALUE.maxlist = _VALUE.maxtuple = _VALUE.maxdict = 10
_VALUE.maxstring = _VALUE.maxother = _VALUE.maxlong = 120


class ReportSegError(Exception):
    """Base of every error the plugin raises about something a user can put right.

    Attributes:
        problem: What is wrong, where the error was built by `about`; else empty.
        case: The case identifier, if any.
        file: The file to open, if any.
        value: The offending value, if any.
        fix: What to do about it; empty where the error was not built by `about`.
    """

    problem: str = ""
    case: str | None = None
    file: Path | str | None = None
    value: object = None
    fix: str = ""

    @classmethod
    def about(
        cls: type[_Error],
        problem: str,
        *,
        case: str | None = None,
        file: Path | str | None = None,
        value: object = None,
        fix: str,
    ) -> _Error:
        """Build an error whose message always has the same four parts, in the same order.

        Args:
            problem: What is wrong, without a full stop.
            case: The case identifier, where there is one.
            file: The file the user has to open.
            value: The offending value, where there is one; ``None`` means none.
            fix: What to do about it, as an instruction.

        Returns:
            The error, ready to be raised.
        """
        error = cls(describe(problem, case=case, file=file, value=value, fix=fix))
        error.problem, error.case, error.file, error.value, error.fix = problem, case, file, value, fix
        return error


def describe(
    problem: str,
    *,
    case: str | None = None,
    file: Path | str | None = None,
    value: object = None,
    fix: str,
) -> str:
    """Join problem, case, file, value and fix to one message; see `ReportSegError.about`."""
    parts = []
    if case is not None:
        parts.append(f"case {str(case)!r}")  # a file name may hold what cannot be printed
    if file is not None:
        parts.append(f"file {file}")
    where = ", ".join(parts)
    found = "" if value is None else f" (found: {_VALUE.repr(value)})"
    return f"{where + ': ' if where else ''}{problem}{found}. Fix: {fix}"


class SidecarError(ReportSegError):
    """The sidecar (``reports.json``) is missing, malformed, or does not match the cases it is used for."""


class ReportFileError(ReportSegError):
    """A file given as a report is missing, no UTF-8, or holds no report."""


class DatasetError(ReportSegError):
    """A raw or preprocessed dataset is missing, incomplete, or contradicts its ``dataset.json``."""


class PathsError(ReportSegError):
    """An ``nnUNet_*`` environment variable is unset or names a folder that does not exist."""


class DeviceError(ReportSegError):
    """A device is not there, or nnU-Net does not know it."""


class VersionError(ReportSegError):
    """The installed nnU-Net is not a version this plugin was written for."""


class GeometryError(ReportSegError):
    """The left-right axis of an image cannot be found, or differs between the cases of a dataset."""


class ArchitectureError(ReportSegError):
    """The planned architecture has no U-Net encoder and decoder to attach the report adapter to."""


class ReportContextError(ReportSegError):
    """A network was run without being told which report to read."""


class ModelMismatchError(ReportSegError):
    """A checkpoint was trained with another encoder, text processing or adapter than the one in use."""
