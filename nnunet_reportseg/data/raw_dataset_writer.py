"""A raw nnU-Net dataset as the generators write it: images, label maps, sidecars with reports, a manifest.

Everything is written to a hidden folder and moved into place at the end: an interrupted run leaves no dataset behind.
"""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.paired_options import PairedOptions
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import SIDECAR_VERSION

MANIFEST_VERSION = 1


class RawDatasetWriter(ABC):
    """Context manager that collects volumes and writes the dataset.

    Attributes:
        subfolders: The folders that a dataset has.
        folder: Where the dataset lies after the ``with`` block.
    """

    subfolders: ClassVar[tuple[str, ...]] = ("imagesTr", "labelsTr", "imagesTs", "labelsTs")

    def __init__(self, options: PairedOptions, *, generator: str) -> None:
        """Check that the dataset can be written.

        Args:
            options: Where it goes.
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
        self._facts: dict[str, Any] = {}

    def __enter__(self) -> RawDatasetWriter:
        """Make the hidden folder, replacing what an interrupted run left."""
        if self._partial.exists():
            shutil.rmtree(self._partial)
        for sub in self.subfolders:
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

    @abstractmethod
    def _finish(self) -> None:
        """Write the JSON files."""

    def _write_image(self, image: sitk.Image, sub: str, case: str) -> Path:
        file = self._partial / sub / f"{case}_0000.nii.gz"
        sitk.WriteImage(image, str(file), True)
        return file

    def _write_map(self, values: np.ndarray, image: sitk.Image, sub: str, name: str) -> None:
        label = sitk.GetImageFromArray(values)
        label.CopyInformation(image)
        sitk.WriteImage(label, str(self._partial / sub / f"{name}.nii.gz"), True)

    def _write_dataset_json(self, *, values: int, num_training: int) -> None:
        """Write ``dataset.json`` with one region of the label values from 1 to ``values``."""
        dataset = {
            "channel_names": {"0": "CT"},
            "labels": {"background": 0, "finding": list(range(1, values + 1))},
            "regions_class_order": [1],
            "numTraining": num_training,
            "file_ending": ".nii.gz",
        }
        _write_json(self._partial / "dataset.json", dataset)

    def _write_manifest(self, content: Mapping[str, Any]) -> None:
        start = {"generator": self._generator, "manifest_version": MANIFEST_VERSION, **self._facts}
        _write_json(self._partial / f"{self._generator}.json", {**start, **content})

    def _write_sidecar(self, name: str, cases: Mapping[str, Any]) -> None:
        content = {"reportseg_version": SIDECAR_VERSION, "cases": dict(sorted(cases.items()))}
        _write_json(self._partial / name, content)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
