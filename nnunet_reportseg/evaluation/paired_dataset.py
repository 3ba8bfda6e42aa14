"""Scores predictions of a paired dataset (phantom, implants): Dice, and whether the mask follows the report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.phantom_task import PhantomTask
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.evaluation.paired import blind_ceiling, dice, followed

MANIFESTS = ("phantom.json", "implants.json")


@dataclass(frozen=True)
class PairedScore:
    """Mean scores over test cases.

    Attributes:
        dice: against the lesion that the report describes.
        follow_rate: part of the cases whose mask lies on the described lesion rather than on another one.
        per_case: Dice and follow of each case.
    """

    dice: float
    follow_rate: float
    per_case: dict[str, dict[str, float]]


class PairedTestSet:
    """The test cases of a paired dataset.

    Args:
        folder: raw dataset folder.

    Raises:
        DatasetError: the folder has no manifest of a generator, or its task is not paired.
    """

    def __init__(self, folder: Path) -> None:
        manifests = [folder / name for name in MANIFESTS if (folder / name).is_file()]
        if not manifests:
            raise DatasetError.about(
                "no manifest of a paired dataset",
                file=folder,
                value=" or ".join(MANIFESTS),
                fix="write the dataset with 'reportseg phantom' or 'reportseg implants'",
            )
        manifest: dict[str, Any] = json.loads(manifests[0].read_text(encoding="utf-8"))
        self.folder = folder
        self.task: str = manifest.get("task", "site")
        if self.task == PhantomTask.FINDINGS.value:
            raise DatasetError.about(
                "the test cases of this dataset are not paired: each is asked for several findings, one by one",
                file=manifests[0],
                value=self.task,
                fix="score the findings (reportseg evaluate --protocol rexgroundingct), or audit the cases of a fold",
            )
        self.volumes: dict[str, Any] = manifest["volumes"]
        self.described: dict[str, int] = {c: e["described"] for c, e in manifest["test_cases"].items()}
        self.volume_of: dict[str, str] = {c: e["volume"] for c, e in manifest["test_cases"].items()}

    def siblings(self, case: str) -> list[str]:
        """Cases with the same image, in order."""
        return [other for other, volume in self.volume_of.items() if volume == self.volume_of[case]]

    def lesion_image(self, case: str) -> sitk.Image:
        """Lesion map of a case's volume: 0 background, k lesion k."""
        return sitk.ReadImage(str(self.folder / "lesionsTs" / f"{self.volume_of[case]}.nii.gz"))

    def lesions(self, case: str) -> np.ndarray:
        """The same as an array ``(z, y, x)``."""
        return sitk.GetArrayFromImage(self.lesion_image(case))

    def blind_ceiling(self) -> float:
        """Best mean Dice of a network that does not read: mean over test volumes of the ceiling of each."""
        ceilings = []
        for volume in dict.fromkeys(self.volume_of.values()):
            cases = [c for c, v in self.volume_of.items() if v == volume]
            size = {lesion["value"]: lesion["voxels"] for lesion in self.volumes[volume]["lesions"]}
            ceilings += [blind_ceiling([size[self.described[c]] for c in cases])] * len(cases)
        return float(np.mean(ceilings))

    def score(self, predictions: Path, described: Mapping[str, int] | None = None) -> PairedScore:
        """Score predicted masks.

        Args:
            predictions: folder with ``<case>.nii.gz``.
            described: lesion that each case's report describes, where it is not the dataset's own report.

        Raises:
            DatasetError: a prediction is missing.
        """
        described = described or self.described
        per_case = {}
        for case, value in described.items():
            file = predictions / f"{case}.nii.gz"
            if not file.is_file():
                raise DatasetError.about("no prediction", case=case, file=file, fix="predict all test cases first")
            mask = sitk.GetArrayFromImage(sitk.ReadImage(str(file)))
            lesions = self.lesions(case)
            per_case[case] = {
                "dice": dice(mask, lesions == value),
                "followed": float(followed(mask, lesions, value)),
            }
        return PairedScore(
            float(np.mean([s["dice"] for s in per_case.values()])),
            float(np.mean([s["followed"] for s in per_case.values()])),
            per_case,
        )
