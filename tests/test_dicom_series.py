"""A DICOM series becomes the volume that was scanned, or an error that names the case and what is wrong."""

from __future__ import annotations

import locale
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from nnunet_reportseg.dicom_series import read_dicom_series
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.grid import Grid
from tests.convert.dicom_files import DIRECTION, volume, write_series


def test_the_volume_comes_back(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "readme.txt").write_text("no DICOM")
    image = read_dicom_series(write_series(tmp_path / "series"), case="a")
    wanted = volume()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(wanted))
    assert Grid.of_image(image).difference(Grid.of_image(wanted)) is None


def test_reading_leaves_the_locale_of_the_process_alone(tmp_path: Path) -> None:
    before = locale.setlocale(locale.LC_ALL)
    series = write_series(tmp_path / "series")
    read_dicom_series(series, case="a")
    assert locale.setlocale(locale.LC_ALL) == before


def _gap(folder: Path) -> None:
    (write_series(folder) / "7_4.dcm").unlink()  # slice 2 of 5


def _mixed(folder: Path) -> None:
    write_series(folder)
    write_series(folder, series="1.2.826.0.1.3680043.2.1125.8")


def _tilt(folder: Path) -> None:
    sideways = 2.5 * np.tan(np.radians(12)) * DIRECTION[:, 1]
    write_series(folder, shift=tuple(sideways))


def _twice(folder: Path) -> None:
    write_series(folder, shift=tuple(-2.5 * DIRECTION[:, 2]))


def _scout(folder: Path) -> None:
    write_series(folder)
    turned = volume()
    turned.SetDirection(DIRECTION[:, [1, 2, 0]].ravel().tolist())
    one = write_series(folder.parent / "scout", image=turned[:, :, :1])
    (one / "7_0.dcm").rename(folder / "scout.dcm")


def _cut(folder: Path) -> None:
    last = write_series(folder) / "7_3.dcm"  # slice 5 of 5: nothing behind it shows a gap
    last.write_bytes(last.read_bytes()[:600])


def _empty(folder: Path) -> None:
    (write_series(folder) / "7_3.dcm").write_bytes(b"")


def _nowhere(folder: Path) -> None:
    _rewrite(folder, "ImagePositionPatient", ["nan", "0", "0"])


def _without_spacing(folder: Path) -> None:
    _rewrite(folder, "PixelSpacing", None)


def _flat_spacing(folder: Path) -> None:
    _rewrite(folder, "PixelSpacing", ["0", "0"])


def _rewrite(folder: Path, name: str, value: list[str] | None) -> None:
    """Set or drop an attribute of one slice."""
    file = write_series(folder) / "7_4.dcm"
    dataset = pydicom.dcmread(file)
    if value is None:
        delattr(dataset, name)
    else:
        setattr(dataset, name, value)
    dataset.save_as(file)


def _one(folder: Path) -> None:
    write_series(folder, image=volume()[:, :, :1])


def _nothing(folder: Path) -> None:
    folder.mkdir()
    (folder / "readme.txt").write_text("no DICOM")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_gap, "the series has a gap: slices are 2.500 mm apart, but 5.000 mm"),
        (_mixed, "2 series are mixed"),
        (_tilt, "the gantry was tilted by 12.0 degrees"),
        (_twice, "two slices lie at the same place"),
        (_scout, "slices are mixed"),
        (_cut, "7_3.dcm: the file cannot be read as DICOM image"),
        (_empty, "7_3.dcm: the file cannot be read as DICOM image"),
        (_nowhere, "7_4.dcm: the file is no single slice with position"),
        (_without_spacing, "7_4.dcm: the file has no grey pixels of known spacing"),
        (_flat_spacing, "7_4.dcm: the file has no grey pixels of known spacing"),
        (_one, "one slice only"),
        (_nothing, "no DICOM series"),
    ],
)
def test_what_is_no_even_stack_is_named(spoil: Callable[[Path], None], named: str, tmp_path: Path) -> None:
    spoil(tmp_path / "series")
    with pytest.raises(DatasetError, match=r"case 'a'.*Fix: ") as caught:
        read_dicom_series(tmp_path / "series", case="a")
    assert named in str(caught.value)
