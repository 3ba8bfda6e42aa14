"""Checks a raw dataset for what gives its answers away: patients, reports, sizes and words; see docs/leakage.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nnunet_reportseg.case_reports import parse_case_text
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.leakage.agreement import HAND_MM, HAND_PART_OF_VOLUME, Agreement, Comparison, summarise
from nnunet_reportseg.leakage.case_groups import shared_groups
from nnunet_reportseg.leakage.case_masks import CaseMask, measure_case
from nnunet_reportseg.leakage.patients import Patients, find_patients
from nnunet_reportseg.leakage.predictability import Predictability, mark_denials, predict_from_words
from nnunet_reportseg.leakage.repeated_reports import RepeatedReports, find_repeated_reports
from nnunet_reportseg.leakage.stated_sizes import StatedSize, read_stated_sizes
from nnunet_reportseg.leakage.suspicion import Suspicion, of_agreements, of_groups, of_words
from nnunet_reportseg.raw_dataset import RawDataset, require_channel_numbers
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from nnunet_reportseg.sidecar_format import name_some
from nnunet_reportseg.splits import NNUNET_FOLDS, NNUNET_SEED, SPLITS_FILE, Split, default_splits, read_splits


@dataclass(frozen=True)
class LeakageReport:
    """What was found, and in what.

    Attributes:
        suspicions: What is suspicious; empty for a clean dataset.
        cases: Number of training cases.
        test_cases: Number of cases in ``imagesTs``.
        test_reports: Whether these have reports.
        folds: Number of folds.
        folds_from: Where these come from.
        patients: Those of training and test cases.
        repeated: Reports that occur again.
        lengths: Agreement of lengths with each measure of the masks.
        volumes: Agreement of volumes.
        words: What words predict.
    """

    suspicions: tuple[Suspicion, ...]
    cases: int
    test_cases: int
    test_reports: bool
    folds: int
    folds_from: str
    patients: Patients
    repeated: RepeatedReports
    lengths: tuple[Agreement, ...]
    volumes: tuple[Agreement, ...]
    words: tuple[Predictability, ...]


def check_leakage(
    raw_dataset_folder: Path,
    *,
    preprocessed_folder: Path | None = None,
    sidecar_file: Path | None = None,
    missing_report: Literal["error", "null"] = "error",
    patient_pattern: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LeakageReport:
    """Look for leakage; one label file is in memory at a time.

    Args:
        raw_dataset_folder: ``nnUNet_raw/DatasetXXX_Name``.
        preprocessed_folder: ``nnUNet_preprocessed/DatasetXXX_Name``, whose splits are taken where it has some.
        sidecar_file: The sidecar; ``reports.json`` in the raw dataset by default.
        missing_report: With ``"null"``, a case without an entry has no report.
        patient_pattern: Regular expression whose first group is the patient, searched in the names of cases.
        progress: Called with the number of cases done and the number of all.

    Raises:
        DatasetError: The dataset, its splits or the pattern cannot be used.
        SidecarError: A sidecar cannot be used, or lacks a case.
    """
    dataset = RawDataset(raw_dataset_folder)
    cases = sorted(dataset.cases)
    sidecar = Sidecar.load(sidecar_file if sidecar_file is not None else dataset.folder / SIDECAR_NAME)
    sidecar.require_cases(cases, missing_report=missing_report)
    splits, source = _splits(preprocessed_folder, cases)
    test_cases, test = _test_set(dataset)
    patients = find_patients(dict.fromkeys([*cases, *test_cases]), patient_pattern)
    repeated = find_repeated_reports(sidecar, cases, test, test_cases, splits)
    sizes, masks = _measure(dataset, sidecar, cases, progress)
    lengths, volumes = (summarise(_compare(sizes, masks, kind)) for kind in ("lengths", "volumes"))
    texts = {case: text for case in masks if (text := sidecar.report_text(case)) is not None}
    marked = {case: mark_denials(parse_case_text(text, sidecar, case)) for case, text in texts.items()}
    words = predict_from_words(marked, masks, splits, patients.of_case)
    of_training, of_test = (
        {case: patient for case, patient in patients.of_case.items() if case in names}
        for names in (set(cases), set(test_cases))
    )
    suspicions = (
        *of_groups("shared case", shared_groups({case: case for case in cases}, {}, splits)),
        *of_groups("shared patient", [g for g in shared_groups(of_training, of_test, splits) if len(g.names) > 1]),
        *of_groups("shared report", repeated.with_findings),
        *of_agreements("lengths", lengths),
        *of_agreements("volumes", volumes),
        *of_words(words),
    )
    return LeakageReport(
        suspicions=suspicions,
        cases=len(cases),
        test_cases=len(test_cases),
        test_reports=test is not None,
        folds=len(splits),
        folds_from=source,
        patients=patients,
        repeated=repeated,
        lengths=lengths,
        volumes=volumes,
        words=words,
    )


def _splits(folder: Path | None, cases: Sequence[str]) -> tuple[list[Split], str]:
    splits = None if folder is None else read_splits(folder)
    if folder is None or splits is None:
        splits = default_splits(cases)
        own = f"nnU-Net's own split, which the first training makes ({NNUNET_FOLDS} folds, seed {NNUNET_SEED})"
        return splits, own if splits else f"no folds: nnU-Net splits no fewer than {NNUNET_FOLDS} cases"
    unknown = sorted(
        {case for split in splits for side in (split["train"], split["val"]) for case in side} - set(cases)
    )
    if unknown:
        raise DatasetError.about(
            f"the splits name {len(unknown)} cases that are not in the raw dataset: {name_some(unknown)}",
            case=unknown[0],
            file=folder / SPLITS_FILE,
            fix="correct the file, or delete it; nnU-Net writes a new one",
        )
    return splits, str(folder / SPLITS_FILE)


def _test_set(dataset: RawDataset) -> tuple[list[str], Sidecar | None]:
    folder, ending = dataset.folder / "imagesTs", dataset.labels.file_ending
    if not folder.is_dir():
        return [], None
    require_channel_numbers(folder, ending)
    names = {file.name[: -len("_0000" + ending)] for file in folder.glob(f"*{ending}")}
    sidecar = folder / SIDECAR_NAME
    return sorted(names), Sidecar.load(sidecar) if sidecar.is_file() else None


def _measure(
    dataset: RawDataset, sidecar: Sidecar, cases: Sequence[str], progress: Callable[[int, int], None] | None
) -> tuple[dict[str, tuple[StatedSize, ...]], dict[str, CaseMask]]:
    sizes, masks = {}, {}
    for done, case in enumerate(cases, start=1):
        sizes[case] = read_stated_sizes(sidecar, case)
        if sizes[case] or sidecar.report_text(case) is not None:
            findings = [size.finding for size in sizes[case]]
            mask = measure_case(case, dataset.cases[case], dataset.labels, findings)
            if mask is not None:
                masks[case] = mask
        if progress is not None:
            progress(done, len(cases))
    return sizes, masks


def _compare(
    sizes: Mapping[str, tuple[StatedSize, ...]], masks: Mapping[str, CaseMask], kind: str
) -> Iterator[Comparison]:
    for case in masks:
        for size in sizes[case]:
            mask = masks[case].findings.get(size.finding.id)
            stated = size.length if kind == "lengths" else size.volume
            if mask is None or stated is None or stated.value <= 0:
                continue
            error = HAND_MM if kind == "lengths" else HAND_PART_OF_VOLUME * stated.value
            for measure, value in (mask.lengths_mm if kind == "lengths" else mask.volumes_ml).items():
                yield Comparison(case, size.finding.id, measure, stated, value, error)
