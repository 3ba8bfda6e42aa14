"""Checks a raw dataset against its sidecar before anything expensive starts, and names every problem at once.

What the schema alone can see is in `nnunet_reportseg.sidecar_format`; here the sidecar meets the images and labels.
Whether images and labels fit each other (shape, spacing, channels, undeclared values) is no matter of reports and is
left to ``nnUNetv2_plan_and_preprocess --verify_dataset_integrity``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from nnunet_reportseg.case_reports import parse_case_text
from nnunet_reportseg.dataset_json import DATASET_JSON
from nnunet_reportseg.errors import DatasetError, GeometryError, ReportSegError, SidecarError
from nnunet_reportseg.image_errors import require_whole_images
from nnunet_reportseg.label_map import read_label_map
from nnunet_reportseg.plain_words import plain_words
from nnunet_reportseg.raw_dataset import RawCase, RawDataset
from nnunet_reportseg.sidecar import SIDECAR_NAME, Finding, Sidecar
from nnunet_reportseg.sidecar_format import name_some
from text_conditioning.english import looks_english

if TYPE_CHECKING:
    from nnunet_reportseg.geometry import PatientAxes

Severity = Literal["error", "warning"]

_ORIGINS = {
    "template": (
        "are templates filled from a table, not written by a radiologist",
        "say so where results are published; such text is poorer and more regular than reports are",
    ),
    "masks": (
        "were written from the masks, so they can give the masks away (sizes, places, counts)",
        "do not take results on them for results on reports of radiologists",
    ),
}


@dataclass(frozen=True)
class Problem:
    """Something a user has to correct (error) or to look at (warning).

    Attributes:
        case: Case identifier; empty where the whole dataset is meant.
        file: The file to open.
        value: The offending value, as text; may be empty.
        message: What is wrong.
        fix: What to do about it.
        severity: Errors stop a training, warnings do not.
    """

    case: str
    file: Path
    value: str
    message: str
    fix: str
    severity: Severity = "error"


def check_dataset(
    raw_dataset_folder: Path,
    *,
    sidecar_file: Path | None = None,
    missing_report: Literal["error", "null"] = "error",
    progress: Callable[[int, int], None] | None = None,
) -> list[Problem]:
    """Check the sidecar of a raw dataset against its images and labels.

    Args:
        raw_dataset_folder: ``nnUNet_raw/DatasetXXX_Name``.
        sidecar_file: The sidecar; ``reports.json`` in that folder by default.
        missing_report: With ``"null"``, a case without an entry is a warning.
        progress: Called with the number of cases done and the number of all.

    Returns:
        All problems, ordered by case; empty when the dataset is fine.

    Raises:
        SidecarError: The sidecar itself cannot be used; the message has all violations of its schema.
        DatasetError: The folder is no raw nnU-Net dataset.
    """
    dataset = RawDataset(raw_dataset_folder)
    sidecar = Sidecar.load(sidecar_file if sidecar_file is not None else dataset.folder / SIDECAR_NAME)
    cases = dataset.cases
    problems = list(_unknown_cases(sidecar, dataset))
    for done, (case, files) in enumerate(cases.items(), start=1):
        problems += _unusable_files(case, files)
        if case in sidecar:
            problems += _check_case(case, files, sidecar, dataset)
        else:
            problems.append(
                Problem(
                    case,
                    _file_of(sidecar),
                    "",
                    "no entry in the sidecar",
                    'add one, with "report": null if there is no report'
                    + (", or choose --missing-report null" if missing_report == "error" else ""),
                    "error" if missing_report == "error" else "warning",
                )
            )
        if progress is not None:
            progress(done, len(cases))
    problems += _orientation(dataset, {problem.file for problem in problems})
    problems += _no_report(sidecar)
    reports = _readable_reports(sidecar)
    problems += _language(sidecar, reports.values())
    problems += _texts_not_in_report(sidecar, reports)
    problems += _origins(sidecar)
    problems += _unlabelled_instances(sidecar, dataset)
    return sorted(problems, key=lambda problem: (problem.case, problem.severity))


def _unknown_cases(sidecar: Sidecar, dataset: RawDataset) -> Iterator[Problem]:
    for case in sidecar.case_ids:
        if case not in dataset.cases:
            yield Problem(
                case,
                _file_of(sidecar),
                case,
                f"no image of this case in {dataset.folder / 'imagesTr'}",
                "correct the case name (the image's file name without _0000 and file ending) or remove the entry",
            )


def _unusable_files(case: str, files: RawCase) -> Iterator[Problem]:
    for kind, file in (*(("image", image) for image in files.images), ("label file", files.labels)):
        if not file.is_file():
            yield Problem(case, file, "", f"the {kind} is missing", "add it, or take the case out of the dataset")
    for file in filter(Path.is_file, files.images):
        try:
            require_whole_images([file], case=case)
        except DatasetError as error:
            yield _problem_of(error, case)


def _check_case(case: str, files: RawCase, sidecar: Sidecar, dataset: RawDataset) -> Iterator[Problem]:
    try:
        report = sidecar.report_text(case)
    except SidecarError as error:
        report = None
        yield _problem_of(error, case)
    findings = sidecar.findings(case)
    yield from _unreadable(case, report, findings, sidecar)
    wanted = {value: finding for finding in findings for value in finding.label_values}
    if not wanted:
        return
    undeclared = sorted(set(wanted) - dataset.labels.values)
    for value in undeclared:
        yield Problem(
            case,
            _file_of(sidecar),
            str(value),
            f"finding '{wanted[value].id}' has a label value that {DATASET_JSON} does not declare",
            f"correct label_values, or add {value} to the labels in {dataset.folder / DATASET_JSON}",
        )
    if not files.labels.is_file():
        return
    try:
        present = read_label_map(files.labels, dataset.labels.reader, case=case).values
    except DatasetError as error:
        yield _problem_of(error, case)
        return
    for value in sorted(set(wanted) - present - set(undeclared)):
        yield Problem(
            case,
            files.labels,
            str(value),
            f"label value of finding '{wanted[value].id}' never occurs in the label file "
            f"(it has {', '.join(map(str, sorted(present)))})",
            f"correct label_values in {_file_of(sidecar)}, or the label file",
        )


def _unreadable(case: str, report: str | None, findings: Sequence[Finding], sidecar: Sidecar) -> Iterator[Problem]:
    texts = [] if report is None else [("", report)]
    for where, text in (*texts, *((f"finding '{finding.id}': ", finding.text) for finding in findings)):
        try:
            parse_case_text(text, sidecar, case)
        except SidecarError as error:
            problem = _problem_of(error, case)
            yield replace(problem, message=where + problem.message)


def _no_report(sidecar: Sidecar) -> Iterator[Problem]:
    entries = [sidecar.entry(case) for case in sidecar.case_ids]
    if not any(entry.report or entry.report_file for entry in entries):
        yield Problem(
            "",
            _file_of(sidecar),
            "",
            "no case has a report, so there is nothing that could guide the segmentation",
            "write the reports, or train with nnUNetTrainer",
            "warning",
        )


def _language(sidecar: Sidecar, reports: Iterable[str]) -> Iterator[Problem]:
    if not looks_english(reports):
        yield Problem(
            "",
            _file_of(sidecar),
            "",
            "the reports do not look English: states, sides and levels are read by English rules, and will be missing",
            "translate the reports, or train without relying on sides and negations",
            "warning",
        )


def _origins(sidecar: Sidecar) -> Iterator[Problem]:
    for origin, (message, fix) in _ORIGINS.items():
        cases = [case for case in sidecar.case_ids if sidecar.entry(case).origin == origin]
        if cases:
            yield Problem("", _file_of(sidecar), origin, f"{len(cases)} reports {message}", fix, "warning")


def _unlabelled_instances(sidecar: Sidecar, dataset: RawDataset) -> Iterator[Problem]:
    if dataset.labels.ignore_label is not None:
        return
    partly = [
        f"'{finding.id}' of {case}"
        for case in sidecar.case_ids
        for finding in sidecar.findings(case)
        if finding.label_values and not finding.exhaustive
    ]
    if partly:
        yield Problem(
            "",
            _file_of(sidecar),
            name_some(partly),
            f"{len(partly)} findings are not exhaustive, but {DATASET_JSON} has no label 'ignore': their unlabelled "
            "instances are trained as background",
            f'add "ignore": {max(dataset.labels.values) + 1} to the labels in {dataset.folder / DATASET_JSON} and '
            "preprocess again, or leave it so",
            "warning",
        )


def _texts_not_in_report(sidecar: Sidecar, reports: Mapping[str, str]) -> Iterator[Problem]:
    """Findings that :func:`nnunet_reportseg.case_reports.read_case_report` adds, unless they hold one of its sentences.

    One warning for all: in datasets whose findings were extracted from reports they are most of the findings.
    """
    added = []
    for case, report in reports.items():
        words = plain_words(report)
        texts = {finding.id: plain_words(finding.text) for finding in sidecar.findings(case)}
        added += [f"'{number}' of {case}" for number, text in texts.items() if text not in words]
    if added:
        yield Problem(
            "",
            _file_of(sidecar),
            name_some(added),
            f"the words of {len(added)} findings do not stand in their report: ReportGuidedTrainer adds them to it, "
            "and reports at prediction will not have them (ReportGroundingTrainer only asks with them)",
            "quote the report's own words where you can",
            "warning",
        )


def _readable_reports(sidecar: Sidecar) -> dict[str, str]:
    """Reports by case; those that cannot be read are problems of their cases already."""
    reports = {}
    for case in sidecar.case_ids:
        with suppress(SidecarError):
            if (report := sidecar.report_text(case)) is not None:
                reports[case] = report
    return reports


def _orientation(dataset: RawDataset, unusable: Set[Path]) -> Iterator[Problem]:
    from nnunet_reportseg.geometry import common_left_right_axis, patient_axes, properties_of_file

    axes = {}
    for case, files in dataset.cases.items():
        if files.images[0] in unusable:
            continue
        try:
            properties = properties_of_file(files.images[0], dataset.labels.reader)
        except GeometryError as error:
            yield _problem_of(error, case)
            continue
        # Any transposition permutes all cases alike, so it cannot make axes differ or agree.
        axes[case] = patient_axes(properties, (0, 1, 2))
    try:
        common_left_right_axis(axes, dataset.folder)
    except GeometryError as error:
        counts = {case: found.left_right if found.known else None for case, found in axes.items()}
        usual = max(set(counts.values()), key=lambda axis: list(counts.values()).count(axis))
        for case, axis in counts.items():
            if axis != usual:
                yield Problem(
                    case,
                    dataset.cases[case].images[0],
                    "no orientation" if axis is None else f"axis {axis}",
                    error.problem,
                    error.fix,
                )
    else:
        yield from _directions(axes, dataset)


def _directions(axes: Mapping[str, PatientAxes], dataset: RawDataset) -> Iterator[Problem]:
    """Left-right runs both ways along one array axis: right for the report, but the network has to learn both looks."""
    ways = {sign: [case for case, found in axes.items() if found.known and found.signs[0] == sign] for sign in (1, -1)}
    fewer = min(ways.values(), key=len)
    if fewer:
        yield Problem(
            "",
            dataset.folder / "imagesTr",
            name_some(fewer),
            f"{len(fewer)} of {len(axes)} images are stored from the patient's other side (mirrored arrays)",
            "reorient the images and labels to one orientation, for example SimpleITK.DICOMOrient(image, 'LPS'), or "
            "leave it so: sides are read right, but the network has to learn both looks",
            "warning",
        )


def _problem_of(error: ReportSegError, case: str) -> Problem:
    value = "" if error.value is None else str(error.value)
    return Problem(case, Path(error.file or ""), value, error.problem, error.fix)


def _file_of(sidecar: Sidecar) -> Path:
    return sidecar.path if sidecar.path is not None else Path(SIDECAR_NAME)
