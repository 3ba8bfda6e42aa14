"""What the files of a paired dataset say about a report and about a volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnunet_reportseg.data.draft_report import DraftReport
from nnunet_reportseg.data.lesion_volume import Lesion, LesionVolume


def case_entry(report: DraftReport, *, with_voxels: bool = True) -> dict[str, Any]:
    """The sidecar's entry of a report. A resolved lesion is a finding without label values.

    Args:
        report: The report.
        with_voxels: Whether the label of the case shows the described lesions; a swapped report has another label.
    """
    findings = []
    values = iter(range(1, len(report.described) + 1))
    for number, statement in enumerate(report.findings, start=1):
        shown = [next(values)] if statement.denies is None else []
        findings.append({"id": str(number), "text": statement.text, "label_values": shown if with_voxels else []})
    return {"report": report.text, "findings": findings}


def report_record(report: DraftReport, volume: LesionVolume) -> dict[str, Any]:
    """The manifest's entry of a test case: what its report describes and denies. Value 0: no lesion lies there."""
    (described,) = report.described
    at_site = {lesion.site: lesion.value for lesion in volume.lesions}
    denied = [{"value": at_site.get(site, 0), "side": site.side, "level": site.level} for site in report.denied]
    return {"volume": volume.volume_id, "described": described.value, "denied": denied}


def volume_record(volume: LesionVolume, split: str, values: Mapping[int, int]) -> dict[str, Any]:
    """The manifest's entry of a volume; a lesion that the training report leaves out or denies has the value 0."""

    def record(lesion: Lesion) -> dict[str, Any]:
        return {
            "value": values.get(lesion.value, 0),
            "side": lesion.site.side,
            "level": lesion.site.level,
            "centre_voxel": list(lesion.centre_voxel),
            "voxels": lesion.voxels,
            **lesion.record,
        }

    entry: dict[str, Any] = {"split": split, "lesions": [record(lesion) for lesion in volume.lesions]}
    if volume.source is not None:
        entry["source"] = volume.source
    return entry
