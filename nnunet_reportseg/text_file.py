"""Text and JSON files that a user wrote, read with messages that say which byte, line or name to correct."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from nnunet_reportseg.errors import ReportSegError

_UNUSABLE = re.compile("[\0\ud800-\udfff]")
_BOMS = (b"\xff\xfe", b"\xfe\xff")


def unusable_character(text: str) -> str | None:
    """The first NUL or lone surrogate of a text, as U+D800: no file name may hold the one, no UTF-8 file the other."""
    found = _UNUSABLE.search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def read_text(path: Path, error: type[ReportSegError], *, what: str, absent: str, case: str | None = None) -> str:
    """Read a UTF-8 file, with or without byte order mark; line ends stay as they are.

    Args:
        path: The file.
        error: The type of error to raise.
        what: The file's name in messages, for example "the sidecar".
        absent: What to do where the file cannot be read.
        case: The case that the file belongs to, if any.

    Raises:
        ReportSegError: Of the given type: the file is missing, unreadable, not UTF-8, or holds a NUL character.
    """
    try:
        data = path.read_bytes()
    except OSError as cause:
        raise error.about(f"{what} cannot be read: {cause.strerror}", case=case, file=path, fix=absent) from cause
    return decode_text(data, error, what=what, file=path, case=case)


def decode_text(
    data: bytes, error: type[ReportSegError], *, what: str, file: Path | str, case: str | None = None
) -> str:
    """Decode UTF-8, with or without byte order mark.

    Args:
        data: The bytes of a file.
        error: The type of error to raise.
        what: The file's name in messages.
        file: Where the bytes come from.
        case: The case that they belong to, if any.

    Raises:
        ReportSegError: Of the given type: the bytes are not UTF-8, or hold a NUL character.
    """
    encoding = _utf16(data)
    if encoding is not None:
        raise error.about(
            f"{what} looks like UTF-16",
            case=case,
            file=file,
            value=data[:8],
            fix=f"save it as UTF-8, for example: iconv -f {encoding} -t utf-8",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        if 0 in data:
            raise error.about(
                f"{what} is no text", case=case, file=file, value=data[:8], fix="name a file of plain text"
            ) from cause
        raise error.about(
            f"{what} is not UTF-8 at byte {cause.start}",
            case=case,
            file=file,
            value=cause.object[cause.start : cause.start + 1],
            fix="save it as UTF-8, for example: iconv -f latin1 -t utf-8",
        ) from cause
    if "\0" in text:
        at = data.index(0)
        raise error.about(
            f"{what} holds a NUL character at byte {at}", case=case, file=file, value=data[at : at + 8], fix="remove it"
        )
    return text


def _utf16(data: bytes) -> str | None:
    """What iconv calls the encoding of a UTF-16 file; None for others.

    Without a byte order mark it shows in the NULs, which are every second byte of Latin text and no part of UTF-8 text.
    """
    if data.startswith(_BOMS):
        return "utf-16"
    even, odd = data[::2].count(0), data[1::2].count(0)
    if even == odd or 4 * (even + odd) < len(data):
        return None
    return "utf-16be" if even > odd else "utf-16le"


def read_json_object(path: Path, error: type[ReportSegError], *, what: str, absent: str, start: str) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Args:
        path: The file.
        error: The type of error to raise.
        what: The file's name in messages, for example "the sidecar".
        absent: What to do where the file cannot be read.
        start: What to do where the file holds something other than an object.

    Raises:
        ReportSegError: Of the given type: the file is missing, unreadable, not UTF-8, not JSON, or has a name twice
            in one object or a name that cannot be written.
    """
    text = read_text(path, error, what=what, absent=absent)
    try:
        content = json.loads(text, object_pairs_hook=_checked_names)
    except json.JSONDecodeError as cause:
        raise error.about(
            f"{what} is not JSON: {cause.msg} at line {cause.lineno}, column {cause.colno}",
            file=path,
            value=cause.doc[cause.pos : cause.pos + 20],
            fix="correct that line; python -m json.tool checks a file",
        ) from cause
    except _NameError as cause:
        raise error.about(
            cause.problem, case=cause.name, file=path, value=cause.name, fix="rename or remove the entry"
        ) from cause
    except (RecursionError, ValueError) as cause:  # depth and length of numbers are limits of Python, not of JSON
        problem = "is nested too deeply" if isinstance(cause, RecursionError) else "holds a number that is too long"
        raise error.about(f"{what} {problem}", file=path, fix=start) from cause
    if not isinstance(content, dict):
        raise error.about(f"{what} must be a JSON object", file=path, value=type(content).__name__, fix=start)
    return content


class _NameError(Exception):
    def __init__(self, name: str, problem: str) -> None:
        super().__init__(problem)
        self.name, self.problem = name, problem


def _checked_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise _NameError(name, "a name is used twice in the same object, so one of the two entries would be lost")
        character = unusable_character(name)
        if character is not None:
            raise _NameError(name, f"a name holds {character}, which no file can hold")
        result[name] = value
    return result
