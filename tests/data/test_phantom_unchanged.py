"""The task "site" is what it was before there were others: the same seed gives the same bytes.

The digests were taken from the generator of 0.1.0 before the other tasks. They are of the unpacked files, since packing
is the library's.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from nnunet_reportseg.data.phantom import write_phantom

WITHOUT_MARGIN = {"num_training": 4, "num_test_volumes": 2, "seed": 3}
OTHER_SHAPE = {
    "num_training": 3, "num_test_volumes": 1, "seed": 11, "shape": (20, 44, 48), "spacing_mm": (6, 5, 4),
    "lesions": (2, 3),
}  # fmt: skip


def as_before(path: Path) -> bytes:
    """The file's content, without what the manifest tells since then."""
    if path.name.endswith(".gz"):
        return gzip.decompress(path.read_bytes())
    if path.name != "phantom.json":
        return path.read_bytes()
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for key in ("task", "clear_margin", "test_reports"):
        del manifest[key]
    for case in manifest["test_cases"].values():
        del case["denied"]
    return (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.parent.name != "reportsTs":
            total.update(
                f"{path.relative_to(folder).as_posix()} {hashlib.sha256(as_before(path)).hexdigest()}\n".encode()
            )
    return total.hexdigest()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (WITHOUT_MARGIN, "9ae3c29cbed28d300ef28f1e0cd6744c3868e0c99e21f2dc97b5d80802be083c"),
        (OTHER_SHAPE, "bc9989d977797bdb7023c8c2ebca62ca7ff8d39e8f85eb7168cfb365bac56831"),
    ],
    ids=["default shape", "other shape"],
)
def test_site_is_unchanged(tmp_path: Path, options: dict, expected: str) -> None:
    assert digest(write_phantom(tmp_path, **options)) == expected
