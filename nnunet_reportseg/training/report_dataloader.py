"""nnU-Net's data loader, with the patient frame and the choice of report of each sample.

Only hooks of nnUNetDataLoader (nnunetv2 2.8, training/dataloading/data_loader.py) are used: generate_train_batch asks
get_indices for the cases, then for each sample get_bbox and the transforms, in this order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from numpy.typing import NDArray
from torch import Tensor

from nnunet_reportseg.frames import compose, crop_frame, log_zoom, patient_frame
from nnunet_reportseg.geometry import PatientAxes
from nnunet_reportseg.training.frame_tracking import FRAME
from nnunet_reportseg.training.paired_mirroring import MIRRORED
from nnunet_reportseg.training.sub_reports import (
    EXHAUSTIVE,
    FINDING_GROUPS,
    FINDING_VALUES,
    FOCUS,
    HAS_TWIN,
    KEPT,
    LABEL_MAP,
    WITHOUT_REPORT,
)

ZOOM = "zoom"
VOXELS_KEPT = 1000  # of a finding, from which the centre of a patch is drawn
_DECISIONS = (KEPT, WITHOUT_REPORT, MIRRORED)  # of each sample, not tensors


class ReportDataLoader(nnUNetDataLoader):
    """Batches of nnU-Net, with frames and reports.

    Adds ``frame`` ``(B, 3, d + 1)``, ``zoom`` ``(B,)`` (see log_zoom), ``label_map`` ``(B, 1, *patch)``, and the lists
    ``kept_findings``, ``without_report`` and ``mirrored_patient`` with an entry for each sample.

    Args:
        *args: as nnUNetDataLoader.
        patient_axes: of each case.
        finding_values: of each case, for each finding its label values.
        finding_groups: of each case, for each finding the group it is kept or left out with.
        exhaustive: of each case, for each finding whether all its instances are labelled.
        have_twins: the cases whose report has a mirror image.
        balanced: whether a patch that must show foreground shows a finding that is drawn evenly from those of its
            case, and not a voxel of all of them, most of which belong to the largest.
        transforms: nnU-Net's pipeline, with frames tracked.
        **kwargs: as nnUNetDataLoader, which nnUNetTrainer.get_dataloaders calls with its own arguments.
    """

    def __init__(
        self,
        *args: Any,
        patient_axes: Mapping[str, PatientAxes],
        finding_values: Mapping[str, tuple[tuple[int, ...], ...]],
        finding_groups: Mapping[str, tuple[int, ...]],
        exhaustive: Mapping[str, tuple[bool, ...]],
        have_twins: frozenset[str],
        balanced: bool,
        transforms: BasicTransform,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, transforms=self._transform, **kwargs)
        self._patient_axes = patient_axes
        self._finding_values = finding_values
        self._finding_groups = finding_groups
        self._exhaustive = exhaustive
        self._have_twins = have_twins
        self._balanced = balanced
        self._finding_voxels: dict[str, list[NDArray[np.int64]]] = {}
        self._pipeline = transforms
        self._cases: list[str] = []
        self._samples: list[dict[str, Any]] = []
        self._box: tuple[list[int], tuple[int, ...]] = ([], ())
        self._focus: int | None = None

    def get_indices(self) -> list[str]:
        """Cases of the next batch."""
        self._cases = list(super().get_indices())
        return self._cases

    def get_bbox(
        self, data_shape: Any, force_fg: bool, class_locations: Any, *args: Any, **kwargs: Any
    ) -> tuple[list[int], list[int]]:
        """Box of the next sample."""
        self._focus = None
        if self._balanced and force_fg:
            voxels = self._voxels_of_findings(self._cases[len(self._samples)])
            seen = [number for number, found in enumerate(voxels) if len(found)]
            if seen:
                self._focus = int(np.random.choice(seen))
                class_locations = {self._focus: voxels[self._focus]}
        lower, upper = super().get_bbox(data_shape, force_fg, class_locations, *args, **kwargs)
        self._box = (list(lower), tuple(data_shape))
        return lower, upper

    def _voxels_of_findings(self, case: str) -> list[NDArray[np.int64]]:
        """Voxels ``(n, 1 + 3)`` of each finding, at most VOXELS_KEPT, read once a case.

        nnU-Net's class_locations do not do: they are a sample of the region, which a small finding beside a large one
        has no part in.
        """
        if case not in self._finding_voxels:
            labels = np.asarray(self._data.load_case(case)[1][:])
            foreground = np.flatnonzero(labels > 0)
            values = labels.reshape(-1)[foreground]
            found = []
            for own in self._finding_values[case]:
                voxels = foreground[np.isin(values, own)]
                if len(voxels) > VOXELS_KEPT:
                    voxels = np.random.choice(voxels, VOXELS_KEPT, replace=False)
                found.append(np.stack(np.unravel_index(voxels, labels.shape), axis=1))
            self._finding_voxels[case] = found
        return self._finding_voxels[case]

    def generate_train_batch(self) -> dict[str, Any]:
        """A batch."""
        self._samples = []
        batch = super().generate_train_batch()
        batch[FRAME] = torch.from_numpy(np.stack([s[FRAME] for s in self._samples]).astype(np.float32))
        batch[ZOOM] = torch.tensor([s[ZOOM] for s in self._samples])
        batch[LABEL_MAP] = torch.stack([s[LABEL_MAP] for s in self._samples])
        for key in _DECISIONS:
            batch[key] = [s[key] for s in self._samples]
        return batch

    def _transform(self, *, image: Tensor, segmentation: Tensor) -> dict[str, Any]:
        case = self._cases[len(self._samples)]
        lower, shape = self._box
        axes = self._patient_axes[case]
        frame = compose(patient_frame(shape, axes.axes, axes.signs), crop_frame(lower, image.ndim - 1))
        sample = self._pipeline(
            image=image,
            segmentation=segmentation,
            **{
                FRAME: frame,
                FINDING_VALUES: self._finding_values[case],
                FINDING_GROUPS: self._finding_groups[case],
                EXHAUSTIVE: self._exhaustive[case],
                FOCUS: self._focus,
                HAS_TWIN: case in self._have_twins,
            },
        )
        zoom = log_zoom(frame, sample[FRAME])
        self._samples.append({key: sample[key] for key in (FRAME, LABEL_MAP, *_DECISIONS)} | {ZOOM: zoom})
        return sample
