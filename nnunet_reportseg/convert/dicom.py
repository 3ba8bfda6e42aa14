"""``dicom``: as ``folder``, but each image is a folder with one DICOM series.

::

    images/  case_1/*.dcm
    labels/  case_1.nii.gz, on the grid of the series
    reports/ case_1.txt, or one table with the columns case and report
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from nnunet_reportseg.convert.case import SourceCase, SourceDataset
from nnunet_reportseg.convert.folder import require_folder, require_label_files
from nnunet_reportseg.convert.report_texts import ReportTexts
from nnunet_reportseg.convert.volumes import convert_volumes
from nnunet_reportseg.dicom_series import case_folders
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry

_ENDING = ".nii.gz"


def read_dicom_folders(
    images: Path,
    labels: Path,
    reports: Path,
    *,
    channel: str = "CT",
    label_values: Mapping[str, tuple[int, ...]] | None = None,
    missing_report: Literal["error", "null"] = "error",
) -> SourceDataset:
    """Find the cases: the folders in a folder.

    Args:
        images: Folder of folders, each with one DICOM series.
        labels: Folder of label files.
        reports: Folder of text files, or a table.
        channel: Name of the image channel.
        label_values: Values of each label or region; ``None`` makes one region ``finding`` of all values.
        missing_report: ``"null"``: a case without a report is taken with none.

    Raises:
        DatasetError: A folder is missing or empty, or an image, label or report has no partner.
    """
    require_folder(images)
    folders = case_folders(images)
    if not folders:
        raise DatasetError.about("no folder of a case", file=images, fix="put one folder per case there")
    texts = ReportTexts(reports, missing_report=missing_report)
    texts.require_all_used(list(folders))
    require_label_files(labels, list(folders), _ENDING)
    cases = []
    for case, folder in folders.items():
        entry = CaseEntry(report=texts.text(case))
        label = labels / f"{case}{_ENDING}"
        convert = partial(convert_volumes, case=case, images=(folder,), label=label, entry=entry)
        cases.append(SourceCase(case, (folder, label), entry, convert))
    return SourceDataset(
        converter="dicom",
        cases=cases,
        file_ending=_ENDING,
        description=f"DICOM series of {images.resolve()}, labels of {labels.resolve()}, reports of {reports.resolve()}",
        reference=str(images.resolve()),
        licence="that of the images and reports",
        channels=(channel,),
        labels=label_values,
    )
