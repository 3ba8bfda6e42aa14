"""One mask for each finding on disk: ``<out>/<case>/`` with a NIfTI file per finding and ``index.json``.

Format version 1 of the index; a writer may add more about each finding::

    {"findings_version": 1,
     "findings": [{"id": "1", "text": "8 mm nodule in the left upper lobe.", "file": "1.nii.gz"}]}

A case may also have ``combined.nii.gz``, all findings in one label map; ``{"combined": {"file": "combined.nii.gz",
"values": {"1": ["1"], "2": ["1", "2"]}}}`` then says which findings cover the voxels of each value. A case of a
DICOM series may have ``findings.dcm``, and ``{"dicom_seg": {"file": "findings.dcm", "segments": {"1": "1"}}}``, which
gives the finding of each segment; ``file`` is null where all findings are empty.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePath
from typing import Any

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.text_file import read_json_object

INDEX_JSON = "index.json"
INDEX_VERSION = 1
FINDING_ENDING = ".nii.gz"
COMBINED_FILE = "combined" + FINDING_ENDING
DICOM_SEG_FILE = "findings.dcm"

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
# Windows refuses the names of devices with any ending.
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})
_TAKEN = _DEVICES | {COMBINED_FILE.removesuffix(FINDING_ENDING)}
_LONGEST, _KEPT = 200, 100  # most file systems take 255 bytes, and a temporary file has a longer name
_FORMAT = f'write {{"findings_version": {INDEX_VERSION}, "findings": [{{"id": ..., "text": ..., "file": ...}}]}}'


def finding_file_name(finding_id: str) -> str:
    """The file that holds the mask of a finding.

    Different ids have different names, also where the file system ignores case or normalises Unicode: lower-case ASCII
    letters, digits, ``-`` and ``_`` stay, every other byte of the id's UTF-8 becomes ``%`` and two hexadecimal digits,
    so that `urllib.parse.unquote` gives the id back. An id that would be too long for a file name is cut and ends with
    ``~`` and its SHA-256 instead.

    Args:
        finding_id: ``id`` of the finding in the sidecar.
    """
    escaped = "".join(chr(byte) if chr(byte) in _PLAIN else f"%{byte:02x}" for byte in finding_id.encode("utf-8"))
    if escaped in _TAKEN:
        escaped = f"%{ord(escaped[0]):02x}{escaped[1:]}"
    if len(escaped) > _LONGEST:
        escaped = f"{escaped[:_KEPT]}~{hashlib.sha256(finding_id.encode('utf-8')).hexdigest()}"
    return escaped + FINDING_ENDING


def read_index(folder: Path, *, case: str) -> dict[str, Any]:
    """Read the index of a case as it is.

    Args:
        folder: The folder of the case.
        case: Case identifier, for messages.

    Raises:
        DatasetError: The index is missing, unreadable or of another version.
    """
    index = folder / INDEX_JSON
    content = read_json_object(
        index,
        DatasetError,
        what="the index of the findings",
        absent=f"predict case '{case}' with a mask for each finding first",
        start=_FORMAT,
    )
    if content.get("findings_version") != INDEX_VERSION:
        version = content.get("findings_version")
        raise DatasetError.about(
            "the index has another version", case=case, file=index, value=version, fix="predict again, or " + _FORMAT
        )
    return content


def read_finding_index(folder: Path, *, case: str) -> dict[str, Path]:
    """Read the index of a case.

    Args:
        folder: The folder of the case.
        case: Case identifier, for messages.

    Returns:
        The existing file of each finding, by id.

    Raises:
        DatasetError: The index is missing, unreadable, of another version or not of the format; lists an id twice; or
            names a file that is missing or lies elsewhere.
    """
    index = folder / INDEX_JSON
    entries = read_index(folder, case=case).get("findings")
    if not isinstance(entries, list):
        raise DatasetError.about("'findings' is no list", case=case, file=index, value=entries, fix=_FORMAT)
    files: dict[str, Path] = {}
    for entry in entries:
        finding, name = (entry.get("id"), entry.get("file")) if isinstance(entry, dict) else (None, None)
        if not isinstance(finding, str) or not isinstance(name, str):
            raise DatasetError.about("an entry has no id or no file", case=case, file=index, value=entry, fix=_FORMAT)
        if finding in files:
            raise DatasetError.about(
                "the index lists a finding twice", case=case, file=index, value=finding, fix="keep one of the entries"
            )
        if PurePath(name).name != name:
            raise DatasetError.about(
                f"the file of finding '{finding}' is no plain file name",
                case=case,
                file=index,
                value=name,
                fix="put the file beside the index and name it there",
            )
        files[finding] = folder / name
        if not files[finding].is_file():
            raise DatasetError.about(
                f"the file of finding '{finding}' is missing", case=case, file=files[finding], fix="predict it again"
            )
    return files
