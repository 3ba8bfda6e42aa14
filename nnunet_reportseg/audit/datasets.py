"""The cases of an audit: validation cases of a fold, or a folder of labelled images.

The test split of a generated dataset (its manifest is beside the folder of images) also brings the lesion maps, and
further sidecars in ``reportsTs/``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunetv2.utilities.utils import create_lists_from_splitted_dataset_folder

from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.generated import further_reports, known_lesions
from nnunet_reportseg.case_reports import CaseReport, read_case_reports
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.evaluation.paired_dataset import MANIFESTS, PairedTestSet
from nnunet_reportseg.missing_report import missing_report_policy
from nnunet_reportseg.raw_dataset import RawDataset, require_channel_numbers
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from nnunet_reportseg.sidecar_format import name_some
from nnunet_reportseg.splits import SPLITS_FILE
from nnunet_reportseg.text_file import read_text
from nnunet_reportseg.training_reports import find_sidecar


def validation_cases(raw: Path, preprocessed: Path, fold: int | str, reports: Path | None = None) -> list[AuditCase]:
    """Validation cases of a fold, from the raw dataset.

    Args:
        raw: ``nnUNet_raw/DatasetXXX_Name``.
        preprocessed: ``nnUNet_preprocessed/DatasetXXX_Name``, which has the splits.
        fold: the fold.
        reports: sidecar; the dataset's own by default.

    Raises:
        DatasetError: no such fold, or a case is not in the raw dataset.
        SidecarError: missing or invalid sidecar, a case without entry.
    """
    names = _validation_names(preprocessed / SPLITS_FILE, fold)
    files = RawDataset(raw).cases
    missing = [name for name in names if name not in files]
    if missing:
        raise DatasetError.about(
            f"{len(missing)} validation cases are not in the raw dataset: {name_some(missing)}",
            case=missing[0],
            file=raw,
            fix="put them back, or audit labelled images with -i and -l",
        )
    found = _reports(Sidecar.load(reports or find_sidecar(preprocessed)), names)
    return [AuditCase(name, name, files[name].images, files[name].labels, found[name]) for name in names]


def folder_cases(images: Path, labels: Path, ending: str, reports: Path | None = None) -> list[AuditCase]:
    """All cases of a folder of images.

    Args:
        images: folder with ``<case>_0000<ending>``.
        labels: folder with ``<case><ending>``.
        ending: of the files.
        reports: sidecar; ``reports.json`` in ``images`` by default. With another one, nothing is assumed to be known of
            other lesions, because it may describe any of them.

    Raises:
        DatasetError: a folder or label is missing, there are no images, or they are a test split that is not paired.
        SidecarError: missing or invalid sidecar, a case without entry.
    """
    for folder, option in ((images, "-i"), (labels, "-l")):
        if not folder.is_dir():
            raise DatasetError.about("no such folder", file=folder, fix=f"correct {option}")
    require_channel_numbers(images, ending)
    files: dict[str, list[str]] = {
        Path(channels[0]).name[: -len("_0000" + ending)]: channels
        for channels in create_lists_from_splitted_dataset_folder(str(images), ending)
    }
    if not files:
        raise DatasetError.about(f"no images with ending {ending}", file=images, fix=f"name them <case>_0000{ending}")
    missing = [case for case in files if not (labels / f"{case}{ending}").is_file()]
    if missing:
        raise DatasetError.about(
            f"{len(missing)} cases have no label: {name_some(missing)}",
            case=missing[0],
            file=labels / f"{missing[0]}{ending}",
            fix="add the labels, or remove these images",
        )
    own = images / SIDECAR_NAME
    found = _reports(Sidecar.load(reports or own), list(files))
    paired = None
    if (reports is None or reports.resolve() == own.resolve()) and any(
        (images.parent / m).is_file() for m in MANIFESTS
    ):
        paired = PairedTestSet(images.parent)
    given = {} if paired is None else further_reports(images.parent, list(files))
    cases = []
    for case, channels in files.items():
        known: dict[str, Any] = {}
        if paired is not None and case in paired.described:
            siblings = [other for other in paired.siblings(case) if other in files]
            following = siblings[(siblings.index(case) + 1) % len(siblings)]
            known = {
                "lesions": known_lesions(paired, case, ending),
                "sibling": following if following != case else None,
                "given": {name: of_case[case] for name, of_case in given.items() if case in of_case},
            }
        image = paired.volume_of.get(case, case) if paired is not None else case
        label = labels / f"{case}{ending}"
        cases.append(AuditCase(case, image, tuple(map(Path, channels)), label, found[case], **known))
    return cases


def _reports(sidecar: Sidecar, names: Sequence[str]) -> Mapping[str, CaseReport]:
    sidecar.require_cases(names, missing_report=missing_report_policy())
    return read_case_reports(sidecar, list(names))


def _validation_names(file: Path, fold: int | str) -> list[str]:
    if fold == "all":
        raise DatasetError.about(
            "fold 'all' has no validation cases that were not trained on",
            value=fold,
            fix="audit the test split with --test, or other labelled images with -i and -l",
        )
    again = "train first, which writes it, or audit labelled images with -i and -l"
    text = read_text(file, DatasetError, what="the file of splits", absent=again)
    try:
        splits = json.loads(text)
        names = [str(name) for name in splits[int(fold)]["val"]]
    except (ValueError, LookupError, TypeError) as error:
        raise DatasetError.about("this fold is not in the splits", file=file, value=fold, fix=again) from error
    if not names:
        raise DatasetError.about("this fold has no validation cases", file=file, value=fold, fix=again)
    return names
