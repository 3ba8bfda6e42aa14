"""A raw dataset of balls with reports: clean as it is, so that each test plants one leak."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.leakage.mask_extents import AXIAL, CENTRES, mask_lengths
from tests.small_dataset import write_dataset_json, write_sidecar

NAME = "Dataset502_Balls"
SHAPE, SPACING = (20, 20, 40), (2.0, 1.0, 1.0)
_SIZES = [(1.1 + 0.37 * i) for i in range(13)]  # radii in voxels
_OFF_MM = (1.9, -1.6, 3.1, -2.2, 1.2)  # what a hand is off by
_WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa".split()


@dataclass(frozen=True)
class Ball:
    """One case: a ball, and what the report says of it."""

    number: int
    radius: float
    left: bool
    size: str
    report: str = ""

    @property
    def voxels(self) -> np.ndarray:
        z, y, x = np.ogrid[tuple(map(slice, SHAPE))]
        centre = 29 if self.left else 10
        return (4 * (z - 10) ** 2 + (y - 9.5) ** 2 + (x - centre) ** 2 <= self.radius**2).astype(np.uint8)

    @property
    def axial_mm(self) -> float:
        return mask_lengths(self.voxels == 1, SPACING, 0)[f"{AXIAL}, {CENTRES}"]

    @property
    def volume_ml(self) -> float:
        return float(self.voxels.sum()) * 0.002

    @property
    def finding(self) -> str:
        return f"A {self.size} nodule in the {'left' if self.left else 'right'} lung."

    @property
    def text(self) -> str:
        """A report of some length that no other case has."""
        if self.report:
            return self.report
        words = [_WORDS[(self.number * step + step) % len(_WORDS)] for step in range(1, 14)]
        return f"{self.finding} Remark {' '.join(words)} in patient {self.number} of the whole series that was read."


def balls(number: int = 25) -> dict[str, Ball]:
    """Clean cases: sizes by hand, a patient and a report each."""
    cases = {}
    for i in range(number):
        ball = Ball(i, _SIZES[i * 5 % len(_SIZES)], i % 2 == 0, "")
        by_hand = max(1, round(ball.axial_mm + _OFF_MM[i % len(_OFF_MM)]))
        if abs(by_hand - ball.axial_mm) <= 0.5:
            by_hand += 2
        cases[f"p{i:02d}_scan"] = Ball(i, ball.radius, ball.left, f"{by_hand} mm")
    return cases


def write_balls(raw_root: Path, cases: Mapping[str, Ball], test: Mapping[str, Ball] | None = None) -> Path:
    """Write the dataset; test cases get images and reports."""
    folder = raw_root / NAME
    write_dataset_json(folder, {"background": 0, "finding": 1})
    for case, ball in cases.items():
        _write(folder / "imagesTr" / f"{case}_0000.nii.gz", np.zeros(SHAPE, np.int16))
        _write(folder / "labelsTr" / f"{case}.nii.gz", ball.voxels)
    write_sidecar(folder / "reports.json", {case: _entry(ball) for case, ball in cases.items()})
    for case in test or {}:
        _write(folder / "imagesTs" / f"{case}_0000.nii.gz", np.zeros(SHAPE, np.int16))
    if test:
        write_sidecar(folder / "imagesTs" / "reports.json", {case: _entry(ball) for case, ball in test.items()})
    return folder


def write_splits(preprocessed_root: Path, cases: Mapping[str, Ball], *, validation: set[str]) -> Path:
    """Write one fold."""
    folder = preprocessed_root / NAME
    folder.mkdir(parents=True)
    split = {"train": sorted(set(cases) - validation), "val": sorted(validation)}
    (folder / "splits_final.json").write_text(json.dumps([split]))
    return folder


def _entry(ball: Ball) -> dict[str, object]:
    return {"report": ball.text, "findings": [{"id": "1", "text": ball.finding, "label_values": [1]}]}


def _write(file: Path, voxels: np.ndarray) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(SPACING[::-1])
    file.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(file))
