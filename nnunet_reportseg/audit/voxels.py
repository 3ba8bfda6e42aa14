"""Masks of an audit: the case's label, the target that a report asks for, and the findings that a mask may lie on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.audit.altered import Target
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.grid import Grid
from nnunet_reportseg.label_map import read_label_map

LabelArray = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CaseVoxels:
    """Label and lesion map of a case.

    Attributes:
        label: label values, ``(D, H, W)``.
        lesions: lesion values, where the dataset knows all lesions.
        voxel_ml: volume of a voxel.
        grid: where the voxels lie, of a label file.
    """

    label: LabelArray
    lesions: LabelArray | None
    voxel_ml: float
    grid: Grid | None = None

    def target(self, target: Target, labels: LabelSet) -> LabelArray:
        """The label map that a report asks for."""
        if target.lesion is not None and self.lesions is not None:
            value = min(labels.values)
            return np.where((self.lesions == target.lesion) & (target.lesion > 0), value, 0)
        if not target.removed:
            return self.label
        return np.where(np.isin(self.label, sorted(target.removed)), 0, self.label)

    def findings(self, case: AuditCase) -> dict[int, Mask]:
        """Masks of the known findings of the image, by what ``Altered.described`` names them by."""
        if self.lesions is not None and case.lesions is not None:
            return {lesion.value: self.lesions == lesion.value for lesion in case.lesions.lesions}
        return {n: np.isin(self.label, sorted(values)) for n, values in enumerate(case.finding_groups)}


def read_voxels(case: AuditCase, labels: LabelSet) -> CaseVoxels:
    """Read label and lesion map.

    Raises:
        DatasetError: a file is missing or cannot be read, the two lie on different grids, or the label has values that
            no label declares, or none of a finding's.
    """
    label = labels.read(case.label, case=case.case_id)
    absent = sorted(frozenset().union(*case.finding_groups) - label.values)
    if absent:
        raise DatasetError.about(
            "a finding of the report has a label value that never occurs in the label file",
            case=case.case_id,
            file=case.label,
            value=absent[0],
            fix="correct label_values in the sidecar, or the label file",
        )
    spacing = [step for step in label.grid.parts["spacing"] if step < 999]  # nnU-Net's mark for 2D files
    voxel_ml = float(np.prod(spacing)) / 1000
    if case.lesions is None:
        return CaseVoxels(label.voxels, None, voxel_ml, label.grid)
    lesions = read_label_map(case.lesions.file, labels.reader, case=case.case_id)
    difference = lesions.grid.difference(label.grid)
    if difference is not None:
        raise DatasetError.about(
            f"lesion map and label differ in {difference}",
            case=case.case_id,
            file=case.lesions.file,
            fix="write the dataset again with its generator",
        )
    return CaseVoxels(label.voxels, lesions.voxels, voxel_ml, label.grid)


def foreground(array: LabelArray, labels: LabelSet) -> Mask:
    """Voxels of any label or region."""
    return np.isin(array, sorted(labels.values))
