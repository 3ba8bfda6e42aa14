"""``folder``: images, labels and reports of one's own, by the names of their files.

::

    images/  case_1.nii.gz, or case_1_0000.nii.gz, case_1_0001.nii.gz for several channels
    labels/  case_1.nii.gz
    reports/ case_1.txt, or one table with the columns case and report
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

from nnunet_reportseg.convert.case import SourceCase, SourceDataset
from nnunet_reportseg.convert.report_texts import ReportTexts
from nnunet_reportseg.convert.volumes import VOLUME_ENDINGS, convert_volumes
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry


def read_folder(
    images: Path,
    labels: Path,
    reports: Path,
    *,
    channels: tuple[str, ...] = ("CT",),
    label_values: Mapping[str, tuple[int, ...]] | None = None,
    missing_report: Literal["error", "null"] = "error",
) -> SourceDataset:
    """Find the cases of a folder.

    Args:
        images: Folder of images.
        labels: Folder of labels.
        reports: Folder of text files, or a table.
        channels: Names of the image channels.
        label_values: Values of each label or region; ``None`` makes one region ``finding`` of all values.
        missing_report: ``"null"``: a case without a report is taken with none.

    Raises:
        DatasetError: A folder is missing or empty, endings are mixed, or an image, label or report has no partner.
    """
    ending, by_case = image_files(images, channels)
    texts = ReportTexts(reports, missing_report=missing_report)
    texts.require_all_used(list(by_case))
    require_label_files(labels, list(by_case), ending)
    cases = []
    for case, files in by_case.items():
        entry = CaseEntry(report=texts.text(case))
        label = labels / f"{case}{ending}"
        convert = partial(convert_volumes, case=case, images=files, label=label, entry=entry)
        cases.append(SourceCase(case, (*files, label), entry, convert))
    return SourceDataset(
        converter="folder",
        cases=cases,
        file_ending=ending,
        description=f"Images of {images.resolve()}, labels of {labels.resolve()}, reports of {reports.resolve()}",
        reference=str(images.resolve()),
        licence="that of the images and reports",
        channels=channels,
        labels=label_values,
    )


def image_files(folder: Path, channels: tuple[str, ...]) -> tuple[str, dict[str, tuple[Path, ...]]]:
    """Ending and image files by case.

    Raises:
        DatasetError: There are no images, endings are mixed, or a case lacks a channel.
    """
    require_folder(folder)
    found = {file: ending for file in visible(folder) for ending in VOLUME_ENDINGS if file.name.endswith(ending)}
    if not found:
        raise DatasetError.about("no image in the folder", file=folder, fix=f"put {', '.join(VOLUME_ENDINGS)} there")
    ending = next(iter(found.values()))
    by_case: dict[str, dict[int, Path]] = {}
    for file, own in found.items():
        stem = file.name[: -len(own)]
        if own != ending:
            raise DatasetError.about(
                f"the images have several endings ({ending} and {own})",
                case=stem,
                file=file,
                fix="nnU-Net wants one ending per dataset: convert the others",
            )
        numbered = re.fullmatch(r"(.+)_(\d{4})", stem)
        case, channel = (numbered[1], int(numbered[2])) if numbered else (stem, 0)
        if channel in by_case.setdefault(case, {}):
            raise DatasetError.about("two images of the same channel", case=case, file=file, fix="keep one of them")
        by_case[case][channel] = file
    for case, files in by_case.items():
        if sorted(files) != list(range(len(channels))):
            raise DatasetError.about(
                f"the case has other channels than 0 to {len(channels) - 1}",
                case=case,
                file=folder,
                value=sorted(files),
                fix="name images <case>_0000, <case>_0001, ..., and give one --channel NAME for each",
            )
    return ending, {case: tuple(files[i] for i in sorted(files)) for case, files in by_case.items()}


def require_label_files(folder: Path, cases: list[str], ending: str) -> None:
    """Make sure that images and labels are those of the same cases.

    Raises:
        DatasetError: An image has no label, or a label no image.
    """
    require_folder(folder)
    present = {file.name[: -len(ending)] for file in visible(folder) if file.name.endswith(ending)}
    for case in cases:
        if case not in present:
            raise DatasetError.about(
                "the case has no label", case=case, file=folder / f"{case}{ending}", fix="add it, or remove the image"
            )
    unknown = sorted(present - set(cases))
    if unknown:
        raise DatasetError.about(
            "a label has no image", case=unknown[0], file=folder / f"{unknown[0]}{ending}", fix="name both alike"
        )


def visible(folder: Path) -> list[Path]:
    """What is in a folder, sorted by name, without hidden files such as macOS leaves beside others."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def require_folder(folder: Path) -> None:
    """Make sure that a folder is there.

    Raises:
        DatasetError: It is not.
    """
    if not folder.is_dir():
        raise DatasetError.about("no such folder", file=folder, fix="check the path")
