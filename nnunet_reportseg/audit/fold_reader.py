"""The network of a running training on crops of its preprocessed validation cases: a few tiles for each case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nnunet_reportseg.audit.altered import Altered
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.prediction import SentencesOfModel
from nnunet_reportseg.audit.voxels import CaseVoxels, LabelArray
from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.inference.prediction_reports import bank_folder_of


class FoldReader:
    """A Reader: one tile around each target where it fits into one, no mirroring.

    Args:
        trainer: an initialised ReportGuidedTrainer.
    """

    def __init__(self, trainer: Any) -> None:
        self._trainer = trainer
        self._predictor = MultiReportPredictor.of_trainer(trainer, tile_step_size=1.0, mirroring=False)
        banks = [bank_folder_of(Path(trainer.preprocessed_dataset_folder_base))]
        self._sentences = SentencesOfModel(self._predictor, bank_folders=banks, encoder=None)
        self._data = torch.empty(0)
        self._place: Mapping[str, Any] = {}

    def prepare(self, cases: Sequence[AuditCase], reports: Mapping[str, CaseReport]) -> None:
        """Embed all sentences.

        Raises:
            ModelMismatchError: a sentence is in no bank, and the encoder cannot be loaded.
        """
        self._sentences.prepare(reports)

    def voxels(self, case: AuditCase, labels: LabelSet) -> CaseVoxels:
        """The crop around the case's target; the image is kept for ``read``."""
        trainer = self._trainer
        dataset = trainer.dataset_class(trainer.preprocessed_dataset_folder, [case.case_id])
        data, segmentation, _, properties = dataset.load_case(case.case_id)
        label = np.maximum(np.asarray(segmentation[:][0]), 0).astype(np.int64)  # -1: outside of the body
        box = target_box(np.isin(label, sorted(labels.values)), trainer.configuration_manager.patch_size)
        self._data = torch.from_numpy(np.ascontiguousarray(data[:][(slice(None), *box)])).float()
        self._place = {
            "axes": patient_axes(properties, trainer.plans_manager.transpose_forward),
            "shape": label.shape,
            "lower": [part.start for part in box],
        }
        spacing = list(trainer.configuration_manager.spacing)
        if len(spacing) < label.ndim:
            spacing = [properties["spacing"][trainer.plans_manager.transpose_forward[0]], *spacing]
        return CaseVoxels(label[box], None, float(np.prod(spacing)) / 1000)

    def read(self, case: AuditCase, altered: Sequence[Altered]) -> list[LabelArray]:
        """Label maps of the crop."""
        manager = self._predictor.label_manager
        vectors = self._sentences.vectors
        logits = self._predictor.predict_reports(self._data, [a.report for a in altered], vectors, **self._place)
        return [np.asarray(manager.convert_logits_to_segmentation(part)).astype(np.int64) for part in logits]


def target_box(target: np.ndarray, patch: Sequence[int]) -> tuple[slice, ...]:
    """A box around a target, along each axis at least a patch long where the volume is; the middle without a target."""
    sizes = [1] * (target.ndim - len(patch)) + list(patch)
    found = np.argwhere(target) if target.any() else np.array([[n // 2 for n in target.shape]])
    box = []
    for axis, (length, size) in enumerate(zip(target.shape, sizes, strict=True)):
        first, last = int(found[:, axis].min()), int(found[:, axis].max()) + 1
        wanted = min(length, max(size, last - first))
        start = min(max(0, (first + last - wanted) // 2), length - wanted)
        box.append(slice(start, start + wanted))
    return tuple(box)
