"""Writes a paired nnU-Net raw dataset: imagesTr, labelsTr, imagesTs, labelsTs, lesionsTs, reports.json, a manifest.

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

from nnunet_reportseg.data.lesion_volume import Lesion, LesionVolume
from nnunet_reportseg.data.paired_options import PairedOptions
from nnunet_reportseg.data.report_writer import DraftReport, Wording, choose_described, write_report
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import SIDECAR_VERSION

MANIFEST_VERSION = 1
SUBFOLDERS = ("imagesTr", "labelsTr", "imagesTs", "labelsTs", "lesionsTs")


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
        self._test: dict[str, Any] = {}
        self._volumes: dict[str, Any] = {}
        self._test_cases: dict[str, Any] = {}
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

    def add_training_volume(
        self, volume: LesionVolume, wording: Wording, rng: np.random.Generator, *, describe_all: bool
    ) -> None:
        """Write a training case: image, report about some of the lesions, label of the described ones only."""
        case = volume.volume_id
        report = write_report(choose_described(volume.lesions, rng, everything=describe_all), wording, rng)
        numbers = {lesion.value: number for number, lesion in enumerate(report.described, start=1)}
        label = np.zeros_like(volume.lesion_map)
        for value, number in numbers.items():
            label[volume.lesion_map == value] = number
        sitk.WriteImage(volume.image, str(self._partial / "imagesTr" / f"{case}_0000.nii.gz"), True)
        self._write_map(label, volume.image, "labelsTr", case)
        self._training[case] = _case_entry(report)
        self._volumes[case] = _volume_record(volume, "training", numbers)

    def add_test_volume(self, volume: LesionVolume, wording: Wording, rng: np.random.Generator) -> None:
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
            self._test[case] = _case_entry(write_report([lesion], wording, rng))
            self._test_cases[case] = {"volume": name, "described": lesion.value}
        self._volumes[name] = _volume_record(volume, "test", {lesion.value: lesion.value for lesion in volume.lesions})

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
            "test_cases": dict(sorted(self._test_cases.items())),
        }
        _write_json(self._partial / "dataset.json", dataset)
        _write_json(self._partial / f"{self._generator}.json", manifest)
        _write_json(
            self._partial / "reports.json",
            {"reportseg_version": SIDECAR_VERSION, "cases": dict(sorted(self._training.items()))},
        )
        test_sidecar = {"reportseg_version": SIDECAR_VERSION, "cases": dict(sorted(self._test.items()))}
        _write_json(self._partial / "imagesTs" / "reports.json", test_sidecar)


def _case_entry(report: DraftReport) -> dict[str, Any]:
    findings = [
        {"id": str(number), "text": sentence, "label_values": [number]}
        for number, sentence in enumerate(report.sentences, start=1)
    ]
    return {"report": report.text, "findings": findings}


def _volume_record(volume: LesionVolume, split: str, values: Mapping[int, int]) -> dict[str, Any]:
    """The manifest's entry; a lesion that the training report leaves out has the value 0."""

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


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
