"""``reportseg convert folder``: voxels, grid and text arrive as they were, and what does not fit is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.convert.commands import assert_refused, convert
from tests.convert.phantom import (
    AFFINE,
    assert_label_at,
    assert_same_places,
    ct_voxels,
    mask_voxels,
    read_json,
    write_nifti,
)

TEXTS = {"a": "A nodule in the left upper lobe.", "b": "Two nodules, one on each side."}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Cases a and b with text files and the same texts in a table."""
    folder = tmp_path / "source"
    masks = {"a": {(1, 2, 1): 1}, "b": {(1, 2, 1): 1, (5, 2, 1): 2}}
    (folder / "reports").mkdir(parents=True)
    for case, mask in masks.items():
        write_nifti(folder / "images" / f"{case}.nii.gz", ct_voxels())
        write_nifti(folder / "labels" / f"{case}.nii.gz", mask_voxels(mask))
        (folder / "reports" / f"{case}.txt").write_text(TEXTS[case], encoding="utf-8")
    rows = [f'{case},"{text}"' for case, text in TEXTS.items()]
    (folder / "reports.csv").write_text("\n".join(["case,report", *rows]), encoding="utf-8")
    return folder


def arguments(source: Path, raw: Path, reports: str = "reports") -> tuple[object, ...]:
    return (
        "folder", "-i", source / "images", "-l", source / "labels", "-r", source / reports,
        "-o", raw, "-d", 510, "--name", "Own",
    )  # fmt: skip


@pytest.mark.parametrize("reports", ["reports", "reports.csv"])
@pytest.mark.parametrize("copy", [True, False])
def test_everything_arrives_as_it_was(
    reports: str, copy: bool, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw"
    assert convert(*arguments(source, raw, reports), *(["--copy"] if copy else [])) == 0
    assert "2 training cases, 0 held-out cases" in capsys.readouterr().out.replace("\n", "")
    folder = raw / "Dataset510_Own"
    for case, values in (("a", {1: [700]}), ("b", {1: [700], 2: [800]})):
        image, original = folder / "imagesTr" / f"{case}_0000.nii.gz", source / "images" / f"{case}.nii.gz"
        assert image.is_symlink() != copy
        assert image.read_bytes() == original.read_bytes()
        assert_same_places(image, original)
        for value, marks in values.items():
            assert_label_at(folder / "labelsTr" / f"{case}.nii.gz", value, original, marks)
    description = read_json(folder / "dataset.json")
    assert description["labels"] == {"background": 0, "finding": [1, 2]}
    assert description["regions_class_order"] == [1]
    assert (description["channel_names"], description["numTraining"]) == ({"0": "CT"}, 2)
    assert read_json(folder / "reports.json")["cases"] == {case: {"report": text} for case, text in TEXTS.items()}
    assert read_json(folder / "conversion.json")["unchanged_files"] == ("copied" if copy else "linked")
    assert [path.name for path in raw.iterdir()] == ["Dataset510_Own"]


def test_declared_labels_and_channels(source: Path, tmp_path: Path) -> None:
    for case in TEXTS:
        write_nifti(source / "images" / f"{case}_0001.nii.gz", ct_voxels())
    names = ("--channel", "CT", "--channel", "PET", "--label", "whole=1,2", "--label", "core=2")
    assert convert(*arguments(source, tmp_path), *names) == 0
    description = read_json(tmp_path / "Dataset510_Own" / "dataset.json")
    assert description["labels"] == {"background": 0, "whole": [1, 2], "core": 2}
    assert description["channel_names"] == {"0": "CT", "1": "PET"}
    assert (tmp_path / "Dataset510_Own" / "imagesTr" / "b_0001.nii.gz").is_file()


def test_a_case_without_a_report_can_be_declared(source: Path, tmp_path: Path) -> None:
    (source / "reports" / "a.txt").unlink()
    assert convert(*arguments(source, tmp_path), "--missing-report", "null") == 0
    assert read_json(tmp_path / "Dataset510_Own" / "reports.json")["cases"]["a"] == {"report": None}


def _other_shape(source: Path) -> None:
    write_nifti(source / "labels" / "b.nii.gz", np.zeros((7, 9, 6), np.uint8))


def _other_affine(source: Path) -> None:
    write_nifti(source / "labels" / "b.nii.gz", mask_voxels({(1, 2, 1): 1}), np.diag((-1, 1, 1, 1)) @ AFFINE)


def _fraction(source: Path) -> None:
    write_nifti(source / "labels" / "b.nii.gz", mask_voxels({(1, 2, 1): 1}) * np.float32(0.5))


def _gap(source: Path) -> None:
    write_nifti(source / "labels" / "b.nii.gz", mask_voxels({(1, 2, 1): 4}))


def _damaged(source: Path) -> None:
    (source / "images" / "b.nii.gz").write_bytes(b"no image")


def _cut_image(source: Path) -> None:
    file = source / "images" / "b.nii.gz"
    file.write_bytes(file.read_bytes()[:-20])


def _cut_label(source: Path) -> None:
    file = source / "labels" / "b.nii.gz"
    file.write_bytes(file.read_bytes()[:-10])


def _four_axes(source: Path) -> None:
    write_nifti(source / "images" / "b.nii.gz", np.stack([ct_voxels()] * 2, axis=-1))


def _coloured(source: Path) -> None:
    colours = np.dtype([(name, np.uint8) for name in "RGB"])
    write_nifti(source / "images" / "b.nii.gz", np.zeros(ct_voxels().shape, colours))


def _no_label(source: Path) -> None:
    (source / "labels" / "b.nii.gz").unlink()


def _no_image(source: Path) -> None:
    (source / "images" / "b.nii.gz").unlink()
    (source / "reports" / "b.txt").unlink()


def _no_report(source: Path) -> None:
    (source / "reports" / "b.txt").unlink()


def _empty_report(source: Path) -> None:
    (source / "reports" / "b.txt").write_text(" \n")


def _report_in_html(source: Path) -> None:
    (source / "reports" / "b.txt").write_text("<html><body><p>A nodule.</p></body></html>")


def _report_of_nobody(source: Path) -> None:
    (source / "reports" / "bb.txt").write_text("A nodule.")


def _mixed_endings(source: Path) -> None:
    (source / "images" / "c.mha").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_other_shape, ("case 'b'", "size: (7, 9, 5) and (7, 9, 6)")),
        (_other_affine, ("case 'b'", "direction")),
        (_fraction, ("case 'b'", "no label values", "0.5")),
        (_gap, ("case 'b'", "without gaps, and there is no 2")),
        (_damaged, ("case 'b'", "not a readable image")),
        (_cut_image, ("case 'b'", "images/b.nii.gz", "cannot be read")),
        (_cut_label, ("case 'b'", "labels/b.nii.gz", "not a readable image")),
        (_four_axes, ("case 'b'", "4 dimensions")),
        (_coloured, ("case 'b'", "3 numbers per voxel")),
        (_no_label, ("case 'b'", "no label")),
        (_no_image, ("case 'b'", "no image")),
        (_no_report, ("case 'b'", "no report")),
        (_empty_report, ("case 'b'", "the report is empty")),
        (_report_in_html, ("case 'b'", "b.txt", "cannot be read", "plain text")),
        (_report_of_nobody, ("case 'bb'", "have no image")),
        (_mixed_endings, ("case 'c'", "several endings")),
    ],
)
def test_what_does_not_fit_is_named(
    spoil: Callable[[Path], None],
    named: tuple[str, ...],
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(source)
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("case,text\na,x\nb,y\n", ("no column 'report'",)),
        ("case,report,side\na,x,l\nb,y,r\n", ("not known", "'side'")),
        ("case,report\na,x\na,y\n", ("case 'a'", "two rows")),
        ("case,report\na,x\nb, \n", ("case 'b'", "empty")),
        ("case,report\na,x\nb,one, two\n", ("case 'b'", "row 3 has 3 cells")),
    ],
)
def test_what_is_wrong_in_the_table_is_named(
    table: str, named: tuple[str, ...], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "reports.csv").write_text(table, encoding="utf-8")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw", "reports.csv"), named=named)


def test_an_undeclared_value_is_named(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = (*arguments(source, tmp_path / "raw"), "--label", "nodule=1")
    assert_refused(capsys, tmp_path / "raw", *command, named=("case 'b'", "no label declares", "found: 2"))


@pytest.mark.parametrize(
    "label", [("x=0,1,2",), ("background=1",), ("x=1,2,99999999999",), ("x=1", "x=2"), ("x=-1",), ("=1",)]
)
def test_labels_that_cannot_be_declared(
    label: tuple[str, ...], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word for one in label for word in ("--label", one)]
    assert convert(*arguments(source, tmp_path / "raw"), *given) == 2
    assert "--label" in capsys.readouterr().err
    assert not (tmp_path / "raw").exists()


def test_hidden_files_are_no_cases(source: Path, tmp_path: Path) -> None:
    for name in ("images/._a.nii.gz", "labels/._a.nii.gz", "reports/._a.txt"):
        (source / name).write_bytes(b"macOS")
    assert convert(*arguments(source, tmp_path)) == 0
    assert list(read_json(tmp_path / "Dataset510_Own" / "reports.json")["cases"]) == ["a", "b"]


def test_labels_declared_after_a_run_that_failed(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = arguments(source, tmp_path / "raw")
    _gap(source)
    assert_refused(capsys, tmp_path / "raw", *command, named=("case 'b'", "there is no 2"))
    declared = ("--label", "nodule=1")
    assert_refused(capsys, tmp_path / "raw", *command, *declared, named=("case 'b'", "no label declares", "found: 4"))
    declared += ("--label", "mass=4")
    assert_refused(capsys, tmp_path / "raw", *command, *declared, named=("case 'b'", "there is no 2"))
    assert convert(*command, *declared, "--label", "others=2,3") == 0


def test_the_check_at_the_end_decides(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, voxels in (("images", ct_voxels()), ("labels", mask_voxels({(1, 2, 1): 1, (5, 2, 1): 2}))):
        write_nifti(source / folder / "b.nii.gz", voxels, AFFINE[:, [1, 0, 2, 3]])
    assert convert(*arguments(source, tmp_path)) == 2
    assert "1 error," in capsys.readouterr().out  # the left-right axis of b is another array axis
    assert (tmp_path / "Dataset510_Own" / "dataset.json").is_file()


def test_a_taken_number_is_refused_and_stays(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(*arguments(source, tmp_path)) == 0
    before = sorted(path.name for path in (tmp_path / "Dataset510_Own").rglob("*"))
    assert convert(*arguments(source, tmp_path)) == 2
    assert "dataset id 510 is taken" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "Dataset510_Own").rglob("*")) == before


def test_a_label_option_that_says_nothing(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(*arguments(source, tmp_path), "--label", "nodule") == 2
    assert "NAME=VALUE" in capsys.readouterr().err
