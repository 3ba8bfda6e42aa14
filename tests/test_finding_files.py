"""File names of findings are injective and safe everywhere; a broken index is named."""

from __future__ import annotations

import itertools
import json
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.finding_files import FINDING_ENDING, finding_file_name, read_finding_index

HARD = [
    *"aA%~/\\.: *?\"<>|\n\t'$-_0",
    "..",
    "../../etc/passwd",
    "%41",
    "%61",
    "%2561",
    "con",
    "CON",
    "%63on",
    "aux",
    "com1",
    "combined",
    "index",
    "index.json",
    ".hidden",
    "a.",
    "1.nii.gz",
    "Läsion",
    unicodedata.normalize("NFD", "Läsion"),
    "\u017f",
    "K",
    "k",
    "左上葉",
    "🫁",
    *(letter * length for letter in "aAä" for length in (66, 67, 100, 101, 200, 201, 1000)),
    "a" * 1000 + "b",
    "a" * 1000 + "B",
]


def test_plain_ids_keep_their_name() -> None:
    assert finding_file_name("1") == "1.nii.gz"
    assert finding_file_name("nodule_2-b") == "nodule_2-b.nii.gz"
    assert finding_file_name("Left lobe") == "%4ceft%20lobe.nii.gz"


def test_names_differ_where_ids_differ_whatever_the_file_system_folds() -> None:
    letters = ["".join(letters) for n in (1, 2, 3) for letters in itertools.product("aA%4~1.", repeat=n)]
    ids = list(dict.fromkeys([*HARD, *letters]))
    folded = [unicodedata.normalize("NFC", finding_file_name(finding)).casefold() for finding in ids]
    assert len(set(folded)) == len(ids)


@pytest.mark.parametrize("finding", HARD)
def test_any_file_system_takes_the_name(finding: str, tmp_path: Path) -> None:
    name = finding_file_name(finding)
    stem = name.removesuffix(FINDING_ENDING)
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_%~")
    assert stem not in {"con", "prn", "aux", "nul", "com1", "lpt1", "combined"}
    assert len(name) <= 220
    (tmp_path / name).write_bytes(b"")
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("finding", [finding for finding in HARD if "~" not in finding_file_name(finding)])
def test_the_id_can_be_read_back(finding: str) -> None:
    assert unquote(finding_file_name(finding).removesuffix(FINDING_ENDING)) == finding


def _write(folder: Path, *entries: Any, version: object = 1) -> None:
    (folder / "index.json").write_text(json.dumps({"findings_version": version, "findings": list(entries)}))


def test_index_gives_the_files_and_allows_more_about_each_finding(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"")
    _write(tmp_path, {"id": "A", "text": "nodule", "file": "a.nii.gz", "volume_ml": 1.5})
    assert read_finding_index(tmp_path, case="c") == {"A": tmp_path / "a.nii.gz"}


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        (["1"], r"no id or no file \(found: '1'\)"),
        ([{"id": 1, "file": "a.nii.gz"}], "no id or no file"),
        ([{"id": "1", "text": "x"}], "no id or no file"),
        ([{"id": "1", "file": "a.nii.gz"}] * 2, r"twice \(found: '1'\)"),
        ([{"id": "1", "file": "../a.nii.gz"}], "no plain file name"),
        ([{"id": "1", "file": "b.nii.gz"}], r"b\.nii\.gz: the file of finding '1' is missing"),
    ],
)
def test_broken_entries_are_named(tmp_path: Path, entries: list[Any], named: str) -> None:
    (tmp_path / "a.nii.gz").write_bytes(b"")
    _write(tmp_path, *entries)
    with pytest.raises(DatasetError, match=rf"case 'c', file .*{named}.*Fix: "):
        read_finding_index(tmp_path, case="c")


def test_another_version_no_list_and_no_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"index\.json: the index of the findings cannot be read.*predict case 'c'"):
        read_finding_index(tmp_path, case="c")
    _write(tmp_path, version=2)
    with pytest.raises(DatasetError, match=r"another version \(found: 2\)"):
        read_finding_index(tmp_path, case="c")
    (tmp_path / "index.json").write_text('{"findings_version": 1, "findings": {}}')
    with pytest.raises(DatasetError, match="no list"):
        read_finding_index(tmp_path, case="c")
