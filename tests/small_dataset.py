"""A raw nnU-Net dataset of a few voxels: two cases, region "finding" with values 1 and 2."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SAGITTAL = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

REPORTS: dict[str, Any] = {
    "case_001": {
        "report": "A nodule in the left upper lobe. Heart normal.",
        "findings": [{"id": "1", "text": "A nodule in the left upper lobe.", "label_values": [1]}],
    },
    "case_002": {"report": None},
}


def write_image(file: Path, voxels: np.ndarray, direction: tuple[float, ...] = LPS) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetDirection(direction)
    file.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(file))


def write_sidecar(file: Path, cases: Mapping[str, Any]) -> Path:
    file.write_text(json.dumps({"reportseg_version": 1, "cases": cases}), encoding="utf-8")
    return file


def write_dataset_json(folder: Path, labels: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 2, "file_ending": ".nii.gz"}
    if any(isinstance(values, list) for values in labels.values()):
        content["regions_class_order"] = [1]
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "dataset.json"


def write_raw_dataset(raw_root: Path, reports: Mapping[str, Any] | None = None) -> Path:
    """Write Dataset501_Small with case_001 (one voxel of value 1) and case_002 (no foreground)."""
    folder = raw_root / "Dataset501_Small"
    write_dataset_json(folder, {"background": 0, "finding": [1, 2]})
    image, labels = np.zeros((3, 4, 5), np.int16), np.zeros((3, 4, 5), np.uint8)
    labels[1, 1, 1] = 1
    for case, segmentation in (("case_001", labels), ("case_002", np.zeros_like(labels))):
        write_image(folder / "imagesTr" / f"{case}_0000.nii.gz", image)
        write_image(folder / "labelsTr" / f"{case}.nii.gz", segmentation)
    write_sidecar(folder / "reports.json", REPORTS if reports is None else reports)
    return folder
