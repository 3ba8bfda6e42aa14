"""``reportseg convert dicom``: the marks of a series lie in the dataset where the scanner had them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from tests.convert.commands import assert_refused, convert
from tests.convert.dicom_files import volume, write_series
from tests.convert.phantom import MARKS, positions_sitk, read_json


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for case in ("a", "b"):
        write_series(folder / "images" / case)
        label = sitk.Cast(volume() == 900, sitk.sitkUInt8)
        (folder / "labels").mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(label, str(folder / "labels" / f"{case}.nii.gz"))
    rows = "a,A nodule in the left lower lobe.\nb,A nodule.\n"
    (folder / "reports.csv").write_text(f"case,report\n{rows}", encoding="utf-8")
    return folder


def arguments(source: Path, raw: Path) -> tuple[object, ...]:
    return (
        "dicom", "-i", source / "images", "-l", source / "labels", "-r", source / "reports.csv", "-o", raw, "-d", 5,
    )  # fmt: skip


def test_marks_lie_where_the_scanner_had_them(source: Path, tmp_path: Path) -> None:
    assert convert(*arguments(source, tmp_path)) == 0
    folder = tmp_path / "Dataset005_ReportDicom"
    image, scanned = folder / "imagesTr" / "a_0000.nii.gz", volume()
    for voxel, value in MARKS.items():
        wanted = np.array(scanned.TransformIndexToPhysicalPoint(voxel)) * (-1, -1, 1)
        np.testing.assert_allclose(positions_sitk(image, value), [wanted], atol=1e-3)
    np.testing.assert_allclose(
        positions_sitk(folder / "labelsTr" / "a.nii.gz", 1), positions_sitk(image, 900), atol=1e-3
    )
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(image))), sitk.GetArrayFromImage(scanned))
    assert read_json(folder / "conversion.json")["cases"]["a"]["notes"] == ["DICOM series a written as .nii.gz"]


def test_a_gap_names_the_case_and_leaves_no_dataset(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "images" / "b" / "7_4.dcm").unlink()
    raw = tmp_path / "raw"
    assert_refused(capsys, raw, *arguments(source, raw), named=("case 'b'", "the series has a gap"))
