"""The few numbers of a label file that leakage shows in: volume, place, and the lengths of single findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.evaluation.instances import label_instances
from nnunet_reportseg.frames import patient_frame
from nnunet_reportseg.geometry import PatientAxes, patient_axes, properties_of_file
from nnunet_reportseg.label_map import read_label_map
from nnunet_reportseg.leakage.mask_extents import mask_lengths
from nnunet_reportseg.raw_dataset import RawCase
from nnunet_reportseg.sidecar import Finding

WHOLE, LARGEST = "whole mask", "largest component"


@dataclass(frozen=True)
class FindingMask:
    """The mask of a finding, measured.

    Attributes:
        lengths_mm: Of its largest component, by name; see `nnunet_reportseg.leakage.mask_extents`.
        volumes_ml: Of the whole and of the largest component.
    """

    lengths_mm: Mapping[str, float]
    volumes_ml: Mapping[str, float]


@dataclass(frozen=True)
class CaseMask:
    """The foreground of a case.

    Attributes:
        volume_ml: Its volume.
        place: Its centroid towards left, posterior and superior, from 0 to 1 of the image.
        findings: By id; those that were asked for.
    """

    volume_ml: float
    place: tuple[float, float, float]
    findings: Mapping[str, FindingMask]


def measure_case(case: str, files: RawCase, labels: LabelSet, findings: Sequence[Finding]) -> CaseMask | None:
    """Measure the label file of a case.

    Args:
        case: Case identifier.
        files: Its files.
        labels: Of ``dataset.json``.
        findings: Those to measure. Nothing is measured where the image has no orientation, and so no mm (PNG).

    Returns:
        The numbers; None without foreground.

    Raises:
        DatasetError: The label file cannot be read.
        GeometryError: Its header cannot be read.
    """
    label = read_label_map(files.labels, labels.reader, case=case)
    spacing = np.asarray(label.grid.parts["spacing"])
    axes = patient_axes(properties_of_file(files.labels, labels.reader), (0, 1, 2))
    boxes = {value: box for value, box in enumerate(ndimage.find_objects(label.voxels), start=1) if box is not None}
    everything = _part(label.voxels, boxes, sorted(labels.values))
    if everything is None:
        return None
    foreground, corner = everything
    measured = {}
    for finding in findings if axes.known else ():
        part = _part(label.voxels, boxes, finding.label_values)
        if part is not None:
            measured[finding.id] = _measure(part[0], spacing, axes)
    voxel_ml = float(np.prod(spacing)) / 1000
    place = _place(foreground, corner, label.voxels.shape, axes)
    return CaseMask(np.count_nonzero(foreground) * voxel_ml, place, measured)


def _part(
    voxels: NDArray[np.int64], boxes: Mapping[int, tuple[slice, ...]], values: Sequence[int]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]] | None:
    """Voxels of some values in the box around them, and where the box begins."""
    places = [boxes[value] for value in values if value in boxes]
    if not places:
        return None
    box = tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*places, strict=True))
    return np.isin(voxels[box], values), np.array([side.start for side in box])


def _measure(mask: NDArray[np.bool_], spacing: NDArray[np.float64], axes: PatientAxes) -> FindingMask:
    component = label_instances(mask, at_most=1)[0] == 1
    voxel_ml = float(np.prod(spacing)) / 1000
    volumes = {name: np.count_nonzero(part) * voxel_ml for name, part in ((WHOLE, mask), (LARGEST, component))}
    return FindingMask(mask_lengths(component, spacing.tolist(), axial=axes.axes[2]), volumes)


def _place(
    mask: NDArray[np.bool_], corner: NDArray[np.int64], shape: Sequence[int], axes: PatientAxes
) -> tuple[float, float, float]:
    centroid = [
        float(np.average(np.arange(length), weights=mask.sum(axis=tuple(a for a in range(mask.ndim) if a != axis))))
        for axis, length in enumerate(mask.shape)
    ]
    frame = patient_frame(shape, axes.axes, axes.signs)
    left, posterior, superior = (frame[:, :3] @ (corner + centroid) + frame[:, 3]).tolist()
    return left, posterior, superior
