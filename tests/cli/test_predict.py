"""``reportseg predict`` takes folds as nnU-Net's users type them."""

from __future__ import annotations

import pytest

from nnunet_reportseg.cli.main import main
from nnunet_reportseg.cli.predict import spread_folds
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.raw_dataset import require_channel_numbers


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["-f", "0", "1", "-i", "IN"], ["-f", "0", "-f", "1", "-i", "IN"]),
        (["-i", "IN", "-f", "all"], ["-i", "IN", "-f", "all"]),
        (["-f", "0", "-f", "1"], ["-f", "0", "-f", "1"]),
        (["-i", "IN", "-o", "OUT"], ["-i", "IN", "-o", "OUT"]),
    ],
)
def test_folds_are_spread(given, expected):
    assert spread_folds(given) == expected


def test_a_fold_that_is_no_number_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["predict", "-i", str(tmp_path), "-o", str(tmp_path / "out"), "-m", str(tmp_path), "-f", "first"])
    assert caught.value.code == 2
    assert "first" in capsys.readouterr().err


def test_an_image_without_channel_number_is_named(tmp_path):
    (tmp_path / "case_1_0000.nii.gz").touch()
    require_channel_numbers(tmp_path, ".nii.gz")
    (tmp_path / "case_2.nii.gz").touch()
    with pytest.raises(DatasetError, match=r"case_2_0000\.nii\.gz"):
        require_channel_numbers(tmp_path, ".nii.gz")


def test_an_output_path_that_is_a_file_is_a_message(tmp_path, capsys):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as caught:
        main(["demo", "--out", str(file / "out")])
    assert caught.value.code == 2
    assert str(file) in capsys.readouterr().err
