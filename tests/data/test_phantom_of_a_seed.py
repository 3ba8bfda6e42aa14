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
        (DEFAULT_SHAPE, "f21e2a7ab96ef31005dcc6d7e0aec8354da09163c92a602107f3f70c6f77d7db"),
        (OTHER_SHAPE, "cfe1e8ecc208e90d8d7194c5b2de26096ce0bcdb832736150e374b7d7027bb95"),
    ],
    ids=["default shape", "other shape"],
)
def test_a_seed_gives_the_same_dataset(tmp_path: Path, options: dict, expected: str) -> None:
    assert digest(write_phantom(tmp_path, **options)) == expected
