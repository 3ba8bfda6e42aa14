"""Reads a generated dataset back the way a stranger would: from its files alone."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk


class Dataset:
    """A dataset folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def image(self, name: str) -> sitk.Image:
        return sitk.ReadImage(str(self.folder / name))

    @cached_property
    def training_cases(self) -> dict[str, Any]:
        return self.json("reports.json")["cases"]

    @cached_property
    def test_cases(self) -> dict[str, Any]:
        return self.json("imagesTs/reports.json")["cases"]

    @staticmethod
    def sentences(entry: dict[str, Any]) -> list[str]:
        text = re.sub(r"(FINDINGS|IMPRESSION):", "", entry["report"])
        return [s.strip() for s in re.split(r"(?<=\.)\s+", text) if s.strip()]

    @staticmethod
    def finding_texts(entry: dict[str, Any]) -> set[str]:
        return {finding["text"] for finding in entry["findings"]}


def site_of_sentence(sentence: str) -> tuple[str, str] | None:
    """(side, level) named by a sentence; None where it names none. Two sides in one sentence is a failure."""
    sides = set(re.findall(r"\b(left|right)\b", sentence.lower()))
    levels = set(re.findall(r"\b(upper|lower)\b", sentence.lower()))
    if not sides and not levels:
        return None
    (side,), (level,) = sides, levels
    return side, level


def physical_centroid(label: sitk.Image, value: int) -> tuple[float, float, float]:
    """Centroid of a label in patient space (LPS), in mm."""
    voxels = np.argwhere(sitk.GetArrayFromImage(label) == value)
    return label.TransformContinuousIndexToPhysicalPoint([float(i) for i in voxels.mean(axis=0)[::-1]])
