"""Images that end too early are told by their sizes, without reading those that do not."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg import image_errors
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.image_errors import require_stated_sizes


def image(folder: Path, ending: str = ".nii.gz", dtype: type = np.int16) -> Path:
    file = folder / f"case_0000{ending}"
    voxels = np.random.default_rng(0).integers(0, 100, size=(7, 11, 13)).astype(dtype)
    sitk.WriteImage(sitk.GetImageFromArray(voxels), str(file))
    return file


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that were read to their end."""
    files: list[Path] = []
    monkeypatch.setattr(image_errors, "require_whole", files.append)
    return files


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_a_whole_image_is_not_read(tmp_path: Path, read: list[Path], ending: str, dtype: type) -> None:
    require_stated_sizes([image(tmp_path, ending, dtype)], case="case")
    assert read == []


@pytest.mark.parametrize("part", [0.02, 0.5, 0.9, 0.999])
def test_one_that_ends_too_early_is_refused_by_name(tmp_path: Path, part: float) -> None:
    file = image(tmp_path)
    file.write_bytes(file.read_bytes()[: int(part * file.stat().st_size)])
    with pytest.raises(DatasetError) as raised:
        require_stated_sizes([file], case="case")
    assert "case" in str(raised.value)
    assert str(file) in str(raised.value)


def test_all_channels_are_looked_at(tmp_path: Path) -> None:
    whole, other = image(tmp_path), tmp_path / "case_0001.nii.gz"
    other.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(DatasetError, match="case_0001"):
        require_stated_sizes([str(whole), str(other)], case="case")


def test_a_file_of_several_parts_is_read_and_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = image(tmp_path)
    content = gzip.decompress(file.read_bytes())
    file.write_bytes(gzip.compress(content[:900]) + gzip.compress(content[900:]))
    read = []
    whole = image_errors.require_whole
    monkeypatch.setattr(image_errors, "require_whole", lambda f: (read.append(f), whole(f)))
    require_stated_sizes([file], case="case")
    assert read == [file]


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="gone"):
        require_stated_sizes([tmp_path / "gone.nii.gz"], case="gone")
