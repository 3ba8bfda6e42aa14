"""Writes a paired nnU-Net raw dataset: images, labels, lesion maps, sidecars with reports, a manifest.

Paired by construction: a test volume appears once per lesion, with identical voxels and another report each time.
Everything is written to a hidden folder and moved into place at the end: an interrupted run leaves no dataset behind.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.draft_report import DraftReport
from nnunet_reportseg.data.lesion_volume import LesionVolume
from nnunet_reportseg.data.paired_options import PairedOptions
from nnunet_reportseg.data.paired_records import case_entry, report_record, volume_record
from nnunet_reportseg.data.report_forms import HELD_OUT, OTHER_FORMS, SWAPPED, TestReports
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import SIDECAR_VERSION

MANIFEST_VERSION = 1
SUBFOLDERS = ("imagesTr", "labelsTr", "imagesTs", "labelsTs", "lesionsTs", "reportsTs")


class PairedDatasetWriter:
    """Context manager that collects volumes and writes the dataset.

    Attributes:
        folder: Where the dataset lies after the ``with`` block.
    """

    def __init__(self, options: PairedOptions, *, generator: str) -> None:
        """Check that the dataset can be written.

        Args:
            options: Where it goes, and how many lesions a volume has.
            generator: Word for what makes the volumes; the manifest is ``<generator>.json``.

        Raises:
            DatasetError: A dataset with this id exists.
        """
        prefix = f"Dataset{options.dataset_id:03d}_"
        existing = sorted(options.raw_root.glob(prefix + "*"))
        if existing:
            raise DatasetError.about(
                f"dataset id {options.dataset_id} is taken",
                file=existing[0],
                fix="choose another id or move that folder away",
            )
        self.folder = options.raw_root / (prefix + options.name)
        self._partial = options.raw_root / f".{prefix}{options.name}.partial"
        self._generator = generator
        self._max_lesions = options.lesions[1]
        self._training: dict[str, Any] = {}
        self._test: dict[str, dict[str, Any]] = {form: {} for form in (HELD_OUT, *OTHER_FORMS)}
        self._volumes: dict[str, Any] = {}
        self._test_cases: dict[str, dict[str, Any]] = {form: {} for form in (HELD_OUT, *OTHER_FORMS)}
        self._facts: dict[str, Any] = {}

    def __enter__(self) -> PairedDatasetWriter:
        """Make the hidden folder, replacing what an interrupted run left."""
        if self._partial.exists():
            shutil.rmtree(self._partial)
        for sub in SUBFOLDERS:
            (self._partial / sub).mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Move the dataset into place, or remove it where the block failed."""
        try:
            if kind is None:
                self._finish()
                self._partial.rename(self.folder)
        finally:
            shutil.rmtree(self._partial, ignore_errors=True)

    def add_facts(self, facts: Mapping[str, Any]) -> None:
        """Add entries to the top of the manifest, such as the seed."""
        self._facts.update(facts)

    def add_training_volume(self, volume: LesionVolume, report: DraftReport) -> None:
        """Write a training case: image, report about some of the lesions, label of the described ones only."""
        case = volume.volume_id
        numbers = {lesion.value: number for number, lesion in enumerate(report.described, start=1)}
        label = np.zeros_like(volume.lesion_map)
        for value, number in numbers.items():
            label[volume.lesion_map == value] = number
        sitk.WriteImage(volume.image, str(self._partial / "imagesTr" / f"{case}_0000.nii.gz"), True)
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
            target = self._partial / "imagesTs" / f"{case}_0000.nii.gz"
            if first is None:
                sitk.WriteImage(volume.image, str(target), True)
                first = target
            else:
                shutil.copyfile(first, target)
            self._write_map((volume.lesion_map == lesion.value).astype(np.uint8), volume.image, "labelsTs", case)
            for form, by_value in reports.items():
                report = by_value[lesion.value]
                self._test[form][case] = case_entry(report, with_voxels=form != SWAPPED)
                self._test_cases[form][case] = report_record(report, volume)
        self._volumes[name] = volume_record(volume, "test", {lesion.value: lesion.value for lesion in volume.lesions})

    def _write_map(self, values: np.ndarray, image: sitk.Image, sub: str, name: str) -> None:
        label = sitk.GetImageFromArray(values)
        label.CopyInformation(image)
        sitk.WriteImage(label, str(self._partial / sub / f"{name}.nii.gz"), True)

    def _finish(self) -> None:
        dataset = {
            "channel_names": {"0": "CT"},
            "labels": {"background": 0, "finding": list(range(1, self._max_lesions + 1))},
            "regions_class_order": [1],
            "numTraining": len(self._training),
            "file_ending": ".nii.gz",
        }
        manifest = {
            "generator": self._generator,
            "manifest_version": MANIFEST_VERSION,
            **self._facts,
            "volumes": dict(sorted(self._volumes.items())),
            "test_cases": dict(sorted(self._test_cases[HELD_OUT].items())),
            "test_reports": {
                form: {"file": f"reportsTs/{form}.json", "cases": dict(sorted(self._test_cases[form].items()))}
                for form in OTHER_FORMS
            },
        }
        _write_json(self._partial / "dataset.json", dataset)
        _write_json(self._partial / f"{self._generator}.json", manifest)
        self._write_sidecar("reports.json", self._training)
        self._write_sidecar("imagesTs/reports.json", self._test[HELD_OUT])
        for form in OTHER_FORMS:
            self._write_sidecar(f"reportsTs/{form}.json", self._test[form])

    def _write_sidecar(self, name: str, cases: Mapping[str, Any]) -> None:
        content = {"reportseg_version": SIDECAR_VERSION, "cases": dict(sorted(cases.items()))}
        _write_json(self._partial / name, content)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
