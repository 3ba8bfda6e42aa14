"""DICOM series to predict: a folder for each case, written as the files that nnU-Net's readers read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from nnunet_reportseg.dicom_series import case_folders, holds_dicom, read_series_files
from nnunet_reportseg.embedding import BANK_FOLDER
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.text_file import unusable_character

_KEEP_DIRECTIONS = (".nii.gz", ".nii", ".nrrd", ".mha")


def find_series(folder: Path) -> dict[str, Path]:
    """Find the DICOM series in the input of a prediction.

    Args:
        folder: Holds one folder per case, or is itself the folder of a series. The embedding bank of a sidecar may lie
            beside them.

    Returns:
        The folder of each case; none where there is no DICOM file. What is in them is not checked.

    Raises:
        DatasetError: DICOM files lie both in the folder and in folders of cases, or a folder has a name that no sidecar
            can hold.
    """
    cases = case_folders(folder)
    cases.pop(BANK_FOLDER, None)
    in_cases = next((path for path in cases.values() if holds_dicom(path)), None)
    if holds_dicom(folder):
        if in_cases is not None:
            raise DatasetError.about(
                "DICOM files lie in the folder and in folders of cases",
                file=folder,
                value=in_cases.name,
                fix="put each series into a folder of its own",
            )
        cases = {folder.resolve().name: folder}
    elif in_cases is None:
        return {}
    for case in cases:
        if unusable_character(case) is not None:
            raise DatasetError.about("the name of the case is not UTF-8", file=folder, value=case, fix="rename it")
    return cases


def require_dicom_model(dataset_json: Mapping[str, Any], folder: Path) -> None:
    """Make sure that a model takes DICOM series.

    Args:
        dataset_json: of the model.
        folder: the input, for messages.

    Raises:
        DatasetError: the model was trained with several channels, or on images that are no volumes in space.
    """
    names = dataset_json.get("modality", dataset_json.get("channel_names", {}))  # as nnU-Net
    if len(names) != 1:
        raise DatasetError.about(
            f"a DICOM series is one channel, the model was trained with {len(names)}",
            file=folder,
            value=", ".join(map(str, names.values())),
            fix="write the channels as NIfTI on one grid first",
        )
    ending = dataset_json["file_ending"]
    if ending not in _KEEP_DIRECTIONS:
        raise DatasetError.about(
            "a DICOM series cannot be given to a model that was trained on other images than volumes",
            file=folder,
            value=ending,
            fix=f"choose a model that was trained on {', '.join(_KEEP_DIRECTIONS)}",
        )


@contextmanager
def written_as_volumes(series: Mapping[str, Sequence[Path]], ending: str) -> Iterator[Path]:
    """Write series into a temporary folder, as nnU-Net names images.

    Args:
        series: for each case its files, in order (nnunet_reportseg.dicom_series.series_files).
        ending: of the files.

    Yields:
        The folder, with ``<case>_0000<ending>``.

    Raises:
        DatasetError: a file cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="reportseg_") as name:
        for case, files in series.items():
            sitk.WriteImage(read_series_files(files, case=case), str(Path(name) / f"{case}_0000{ending}"))
        yield Path(name)
