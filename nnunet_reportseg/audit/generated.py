"""What a generated dataset knows beyond image, label and report: all lesions of a test image, and further reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_reportseg.audit.cases import KnownLesions, Lesion
from nnunet_reportseg.audit.conditions.long import LONG
from nnunet_reportseg.audit.conditions.paraphrased import SEEN_WORDING
from nnunet_reportseg.audit.conditions.sites import SWAPPED
from nnunet_reportseg.case_reports import CaseReport, read_case_reports
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from nnunet_reportseg.sidecar import Sidecar

FURTHER_REPORTS = "reportsTs"
# By what the reports of a generated dataset name a lesion, for each task of the generator.
NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "site": ("side", "level"),
    "laterality": ("side",),
    "negation": ("side",),
    "size": ("size",),
}


def known_lesions(paired: PairedTestSet, case: str, ending: str) -> KnownLesions:
    """All lesions of a test case's image, from the manifest."""
    volume = paired.volume_of[case]
    records = paired.volumes[volume]["lesions"]
    named_by = NAMED_BY.get(paired.task, ())
    if not all(name in record for name in named_by for record in records):
        named_by = ()
    lesions = tuple(
        Lesion(record["value"], {name: value for name, value in record.items() if isinstance(value, str)})
        for record in records
    )
    return KnownLesions(paired.folder / "lesionsTs" / f"{volume}{ending}", paired.described[case], lesions, named_by)


def further_reports(folder: Path, cases: Sequence[str]) -> dict[str, Mapping[str, CaseReport]]:
    """Reports by kind and case, from the further sidecars of a generated dataset.

    Raises:
        SidecarError: one cannot be read.
    """
    result = {}
    for name in (SEEN_WORDING, LONG, SWAPPED):
        file = folder / FURTHER_REPORTS / f"{name}.json"
        if file.is_file():
            sidecar = Sidecar.load(file)
            result[name] = read_case_reports(sidecar, [case for case in cases if case in sidecar])
    return result
