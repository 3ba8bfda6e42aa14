"""The conditions of the test split: which report a case is read with, and which lesion its mask is scored against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from following.prepare import HELD_OUT, LONG, SEEN_WORDING
from nnunet_reportseg.case_reports import CaseReport, read_case_reports
from nnunet_reportseg.sidecar import Sidecar

CORRECT, SEEN, LONG_REPORT, NULL, NULL_ALL = "correct", "seen_wording", "long", "null", "null_all_lesions"
SWAPPED_OWN, SWAPPED_ORIGINAL = "swapped_own", "swapped_original"
TOLD = "told"  # of plain nnU-Net alone
FREE = "free_wording"  # of benchmarks/free_wording.py alone
CONDITIONS = {
    CORRECT: "the case's report, in wording that training never saw",
    SEEN: "about the same lesion, in the wording of training",
    LONG_REPORT: "the case's report behind at least 600 tokens of filler",
    SWAPPED_OWN: "the report of another case of the image, against the lesion that it describes",
    SWAPPED_ORIGINAL: "the same masks against the case's own lesion",
    NULL: "no report, against the case's own lesion",
    NULL_ALL: "no report, against all lesions of the image",
    TOLD: "of plain nnU-Net's mask the voxels nearest to the described lesion: what it finds, read without a mistake",
}


@dataclass(frozen=True)
class Reading:
    """A report that an image is read with, and what the mask is scored against.

    Attributes:
        case: the test case that is scored.
        condition: one of CONDITIONS.
        report: as it is read; without sentences for no report.
        target: the test case whose described lesion counts; None for all lesions.
    """

    case: str
    condition: str
    report: CaseReport
    target: str | None


def readings(raw: Path, volume_cases: Mapping[str, Sequence[str]]) -> dict[str, list[Reading]]:
    """All readings of each test volume.

    Args:
        raw: raw dataset folder.
        volume_cases: the test cases of each volume.
    """
    names = [case for cases in volume_cases.values() for case in cases]
    held_out, seen, long = (
        read_case_reports(Sidecar.load(raw / file), names) for file in (HELD_OUT, SEEN_WORDING, LONG)
    )
    found: dict[str, list[Reading]] = {}
    for volume, cases in volume_cases.items():
        found[volume] = [Reading(cases[0], NULL_ALL, CaseReport(cases[0]), None)]
        for case, other in zip(cases, [*cases[1:], cases[0]], strict=True):
            found[volume] += [
                Reading(case, CORRECT, held_out[case], case),
                Reading(case, SEEN, seen[case], case),
                Reading(case, LONG_REPORT, long[case], case),
                Reading(case, NULL, CaseReport(case), case),
                Reading(case, SWAPPED_OWN, held_out[other], other),
                Reading(case, SWAPPED_ORIGINAL, held_out[other], case),
            ]
    return found


def blind_readings(volume_cases: Mapping[str, Sequence[str]]) -> dict[str, list[Reading]]:
    """The readings of a network that takes no report."""
    return {
        volume: [Reading(cases[0], NULL_ALL, CaseReport(cases[0]), None)]
        + [Reading(case, condition, CaseReport(case), case) for condition in (CORRECT, TOLD) for case in cases]
        for volume, cases in volume_cases.items()
    }


def distinct_reports(found: Sequence[Reading]) -> list[CaseReport]:
    """The reports that differ in their sentences, so that each is predicted once."""
    reports = {report_key(reading): replace(reading.report, findings=()) for reading in found}
    return list(reports.values())


def report_key(reading: Reading) -> tuple[str, ...]:
    """What makes two reports the same to a network."""
    return tuple(sentence.text for sentence in reading.report.sentences)
