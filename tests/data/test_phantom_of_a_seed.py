"""A seed gives the same phantom on every machine, so that published figures can be repeated.

The digests are of the unpacked files, since packing is the library's. A change that is meant to change the phantom
changes them, and the figures with them.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from nnunet_reportseg.data.phantom import write_phantom

DEFAULT_SHAPE = {"num_training": 4, "num_test_volumes": 2, "seed": 3}
OTHER_SHAPE = {
    "num_training": 3, "num_test_volumes": 1, "seed": 11, "shape": (20, 44, 48), "spacing_mm": (6, 5, 4),
    "lesions": (2, 3),
}  # fmt: skip


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            content = gzip.decompress(content) if path.name.endswith(".gz") else content
            total.update(f"{path.relative_to(folder).as_posix()} {hashlib.sha256(content).hexdigest()}\n".encode())
    return total.hexdigest()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (DEFAULT_SHAPE, "08a18ee06ef8da8ec45f3a861443fc0e65e80137c25a29ea704c3d9e11bf5627"),
        (OTHER_SHAPE, "59baf7b53e4b49afb9569468671bfecbe06f57b0e0bc70fcd13239dfcfb829ec"),
    ],
    ids=["default shape", "other shape"],
)
def test_a_seed_gives_the_same_dataset(tmp_path: Path, options: dict, expected: str) -> None:
    assert digest(write_phantom(tmp_path, **options)) == expected
