"""A conversion that was stopped goes on where it was, and what it leaves behind is no dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nnunet_reportseg.convert.case import CaseTarget, Converted, SourceCase, SourceDataset
from nnunet_reportseg.convert.dataset import write_dataset
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry
from tests.convert.phantom import read_json


class Source:
    """A source of text files as images, which counts conversions and can be killed in the middle of a case."""

    def __init__(self, folder: Path, cases: str = "abc") -> None:
        self.converted: list[str] = []
        self.killed_in: str | None = None
        self.folder = folder
        folder.mkdir()
        for case in cases:
            (folder / case).write_text(f"image {case}")

    def dataset(self, cases: str = "abc") -> SourceDataset:
        made = [
            SourceCase(case, (self.folder / case,), CaseEntry(report=f"Report {case}."), self._convert(case))
            for case in cases
        ]
        return SourceDataset("test", made, ".nii.gz", "description", "reference", "licence")

    def _convert(self, case: str) -> Callable[[CaseTarget], Converted]:
        def convert(target: CaseTarget) -> Converted:
            target.image().write_text((self.folder / case).read_text())
            if case == self.killed_in:
                raise KeyboardInterrupt
            target.label.write_text("label")
            self.converted.append(case)
            return Converted(CaseEntry(report=f"Report {case}."), frozenset({1}), ("note",))

        return convert


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "source")


def write(source: Source, tmp_path: Path, cases: str = "abc", **options: object) -> Path:
    return write_dataset(source.dataset(cases), tmp_path / "raw", dataset_id=7, name="Toy", **options)


def kill(source: Source, tmp_path: Path, case: str) -> None:
    source.killed_in = case
    with pytest.raises(KeyboardInterrupt):
        write(source, tmp_path)
    source.killed_in = None


def test_a_killed_run_goes_on_where_it_was(source: Source, tmp_path: Path) -> None:
    kill(source, tmp_path, "b")
    assert not list((tmp_path / "raw").glob("Dataset*"))
    assert [path.name for path in (tmp_path / "raw").rglob("*/images*/*")] == ["a_0000.nii.gz"]
    seen: list[tuple[int, int]] = []
    folder = write(source, tmp_path, progress=lambda done, number: seen.append((done, number)))
    assert source.converted == ["a", "b", "c"]
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert {path.name: path.read_text() for path in (folder / "imagesTr").iterdir()} == {
        f"{case}_0000.nii.gz": f"image {case}" for case in "abc"
    }
    assert list(read_json(folder / "reports.json")["cases"]) == ["a", "b", "c"]
    assert read_json(folder / "conversion.json")["cases"]["a"]["notes"] == ["note"]
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["Dataset007_Toy"]


def test_a_record_that_a_crash_left_empty_is_none(source: Source, tmp_path: Path) -> None:
    kill(source, tmp_path, "b")
    (record,) = (tmp_path / "raw").rglob("cases/*")
    record.write_bytes(b"")
    write(source, tmp_path)
    assert source.converted == ["a", "a", "b", "c"]


def test_a_case_whose_source_changed_is_converted_again(source: Source, tmp_path: Path) -> None:
    kill(source, tmp_path, "b")
    (source.folder / "a").write_text("another image a")
    folder = write(source, tmp_path)
    assert source.converted == ["a", "a", "b", "c"]
    assert (folder / "imagesTr" / "a_0000.nii.gz").read_text() == "another image a"


def test_a_case_that_the_source_lost_is_not_in_the_dataset(source: Source, tmp_path: Path) -> None:
    kill(source, tmp_path, "b")
    folder = write(source, tmp_path, "bc")
    assert sorted(path.name for path in (folder / "labelsTr").iterdir()) == ["b.nii.gz", "c.nii.gz"]
    assert list(read_json(folder / "reports.json")["cases"]) == ["b", "c"]


def test_held_out_cases_lie_beside_the_training(source: Source, tmp_path: Path) -> None:
    dataset = source.dataset()
    cases = [replace(case, split="Ts") if case.case_id == "c" else case for case in dataset.cases]
    folder = write_dataset(replace(dataset, cases=cases), tmp_path / "raw", dataset_id=7, name="Toy")
    assert list(read_json(folder / "reports.json")["cases"]) == ["a", "b"]
    assert list(read_json(folder / "imagesTs" / "reports.json")["cases"]) == ["c"]
    assert (folder / "labelsTs" / "c.nii.gz").is_file()
    description = read_json(folder / "dataset.json")
    assert description["numTraining"] == 2
    assert (description["description"], description["reference"], description["licence"]) == (
        "description",
        "reference",
        "licence",
    )


@pytest.mark.parametrize("cases", ["aa", [".a"], ["a/b"], ""])
def test_case_names_that_cannot_be_used(cases: str, source: Source, tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        write(source, tmp_path, cases)
    assert not (tmp_path / "raw").exists()


def test_a_missing_input_names_the_case(source: Source, tmp_path: Path) -> None:
    (source.folder / "b").unlink()
    with pytest.raises(DatasetError, match="case 'b'"):
        write(source, tmp_path)
