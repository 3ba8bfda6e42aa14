"""Writes a dataset whose findings may overlap and are asked for one by one: a raw nnU-Net dataset for grounding.

Every finding of a label has a value of its own, and so has every combination that occurs. A test volume is one case,
whose sidecar also lists findings that are not there, without label values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnunet_reportseg.combined_findings import combine
from nnunet_reportseg.data.draft_report import DraftReport
from nnunet_reportseg.data.finding_kinds import KindAtSite
from nnunet_reportseg.data.paired_options import PairedOptions
from nnunet_reportseg.data.phantom_findings_reports import AbsentFinding
from nnunet_reportseg.data.phantom_findings_volumes import FindingsVolume
from nnunet_reportseg.data.raw_dataset_writer import RawDatasetWriter


class FindingsDatasetWriter(RawDatasetWriter):
    """Context manager that collects volumes and writes the dataset."""

    def __init__(self, options: PairedOptions, *, generator: str) -> None:
        """As RawDatasetWriter."""
        super().__init__(options, generator=generator)
        self._largest = 0
        self._training: dict[str, Any] = {}
        self._test: dict[str, Any] = {}
        self._volumes: dict[str, Any] = {}
        self._test_cases: dict[str, Any] = {}

    def add_training_volume(self, volume: FindingsVolume, report: DraftReport, denied: Sequence[KindAtSite]) -> None:
        """Write a training case: image, report, label of the described findings only."""
        listed = self._add_case(volume, report, "Tr")
        self._training[volume.volume_id] = {"report": report.text, "findings": listed}
        self._volumes[volume.volume_id]["denied"] = [thing.record() for thing in denied]

    def add_test_volume(self, volume: FindingsVolume, report: DraftReport, absent: Sequence[AbsentFinding]) -> None:
        """Write a test case: image, report and label of all findings; the absent ones are listed after them."""
        case = volume.volume_id
        listed = self._add_case(volume, report, "Ts")
        there = [KindAtSite.of(finding) for finding in volume.findings]
        records = []
        for finding in absent:
            number = str(len(listed) + 1)
            listed.append({"id": number, "text": finding.text, "label_values": []})
            thing = finding.thing
            records.append(
                {
                    "id": number,
                    **thing.record(),
                    "denied": finding.denied,
                    "other_kind_there": any(other.site == thing.site for other in there),
                    "same_kind_elsewhere": any(other.kind == thing.kind for other in there),
                }
            )
        self._test[case] = {"report": report.text, "findings": listed}
        self._volumes[case]["denied"] = [finding.thing.record() for finding in absent if finding.denied]
        self._test_cases[case] = {"volume": case, "absent": records}

    def _add_case(self, volume: FindingsVolume, report: DraftReport, split: str) -> list[dict[str, Any]]:
        """Write image and label and keep the manifest's entry; the described findings as the sidecar lists them."""
        case = volume.volume_id
        label, values = combine(volume.masks_of(report.described))
        self._largest = max(self._largest, int(label.max()))
        self._write_image(volume.image, f"images{split}", case)
        self._write_map(label.astype(np.uint8), volume.image, f"labels{split}", case)
        listed = [
            {"id": str(number), "text": text, "label_values": list(held)}
            for number, (text, held) in enumerate(zip(report.sentences, values, strict=True), start=1)
        ]
        entry_of = {lesion.value: entry for lesion, entry in zip(report.described, listed, strict=True)}
        self._volumes[case] = {
            "split": {"Tr": "training", "Ts": "test"}[split],
            "findings": [
                {
                    "id": entry_of[finding.value]["id"] if finding.value in entry_of else None,
                    **KindAtSite.of(finding).record(),
                    "values": entry_of[finding.value]["label_values"] if finding.value in entry_of else [],
                    "centre_voxel": list(finding.centre_voxel),
                    "voxels": finding.voxels,
                }
                for finding in volume.findings
            ],
        }
        return listed

    def _finish(self) -> None:
        self._write_dataset_json(values=self._largest, num_training=len(self._training))
        self._write_manifest(
            {"volumes": dict(sorted(self._volumes.items())), "test_cases": dict(sorted(self._test_cases.items()))}
        )
        self._write_sidecar("reports.json", self._training)
        self._write_sidecar("imagesTs/reports.json", self._test)
