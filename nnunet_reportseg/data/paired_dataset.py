"""Writes a paired nnU-Net raw dataset: images, labels, lesion maps, sidecars with reports, a manifest.

Paired by construction: a test volume appears once per lesion, with identical voxels and another report each time.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_reportseg.data.draft_report import DraftReport
from nnunet_reportseg.data.lesion_volume import LesionVolume
from nnunet_reportseg.data.paired_options import PairedOptions
from nnunet_reportseg.data.paired_records import case_entry, report_record, volume_record
from nnunet_reportseg.data.raw_dataset_writer import RawDatasetWriter
from nnunet_reportseg.data.report_forms import HELD_OUT, OTHER_FORMS, SWAPPED, TestReports


class PairedDatasetWriter(RawDatasetWriter):
    """Context manager that collects volumes and writes the dataset."""

    subfolders = (*RawDatasetWriter.subfolders, "lesionsTs", "reportsTs")

    def __init__(self, options: PairedOptions, *, generator: str) -> None:
        """As RawDatasetWriter; the options also say how many lesions a volume has."""
        super().__init__(options, generator=generator)
        self._max_lesions = options.lesions[1]
        self._training: dict[str, Any] = {}
        self._test: dict[str, dict[str, Any]] = {form: {} for form in (HELD_OUT, *OTHER_FORMS)}
        self._volumes: dict[str, Any] = {}
        self._test_cases: dict[str, dict[str, Any]] = {form: {} for form in (HELD_OUT, *OTHER_FORMS)}

    def add_training_volume(self, volume: LesionVolume, report: DraftReport) -> None:
        """Write a training case: image, report about some of the lesions, label of the described ones only."""
        case = volume.volume_id
        numbers = {lesion.value: number for number, lesion in enumerate(report.described, start=1)}
        label = np.zeros_like(volume.lesion_map)
        for value, number in numbers.items():
            label[volume.lesion_map == value] = number
        self._write_image(volume.image, "imagesTr", case)
        self._write_map(label, volume.image, "labelsTr", case)
        self._training[case] = case_entry(report)
        self._volumes[case] = volume_record(volume, "training", numbers)

    def add_test_volume(self, volume: LesionVolume, reports: TestReports) -> None:
        """Write one test case per lesion: the same file, a report about this lesion, a label of this lesion."""
        name = volume.volume_id
        self._write_map(volume.lesion_map, volume.image, "lesionsTs", name)
        first: Path | None = None
        for lesion in volume.lesions:
            case = f"{name}_r{lesion.value}"
            if first is None:
                first = self._write_image(volume.image, "imagesTs", case)
            else:
                shutil.copyfile(first, first.with_name(f"{case}_0000.nii.gz"))
            self._write_map((volume.lesion_map == lesion.value).astype(np.uint8), volume.image, "labelsTs", case)
            for form, by_value in reports.items():
                report = by_value[lesion.value]
                self._test[form][case] = case_entry(report, with_voxels=form != SWAPPED)
                self._test_cases[form][case] = report_record(report, volume)
        self._volumes[name] = volume_record(volume, "test", {lesion.value: lesion.value for lesion in volume.lesions})

    def _finish(self) -> None:
        self._write_dataset_json(values=self._max_lesions, num_training=len(self._training))
        self._write_manifest(
            {
                "volumes": dict(sorted(self._volumes.items())),
                "test_cases": dict(sorted(self._test_cases[HELD_OUT].items())),
                "test_reports": {
                    form: {"file": f"reportsTs/{form}.json", "cases": dict(sorted(self._test_cases[form].items()))}
                    for form in OTHER_FORMS
                },
            }
        )
        self._write_sidecar("reports.json", self._training)
        self._write_sidecar("imagesTs/reports.json", self._test[HELD_OUT])
        for form in OTHER_FORMS:
            self._write_sidecar(f"reportsTs/{form}.json", self._test[form])
