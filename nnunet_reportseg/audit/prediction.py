"""Masks of a case under many reports, on the grid of its label, from a trained model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch

from nnunet_reportseg.audit.altered import Altered
from nnunet_reportseg.audit.cases import AuditCase
from nnunet_reportseg.audit.voxels import CaseVoxels, LabelArray, read_voxels
from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.dataset_json import LabelSet
from nnunet_reportseg.errors import DatasetError, ModelMismatchError
from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.grid import Grid
from nnunet_reportseg.image_errors import require_numbers, require_whole_images
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.inference.prediction_reports import PredictionVectors, embed_for_prediction


class Reader(Protocol):
    """Anything that segments an image as reports say."""

    def prepare(self, cases: Sequence[AuditCase], reports: Mapping[str, CaseReport]) -> None:
        """Look at what is to come: all cases, and all reports by a name for messages."""
        ...

    def voxels(self, case: AuditCase, labels: LabelSet) -> CaseVoxels:
        """Label and lesion map of a case, on the grid of the masks that ``read`` gives next."""
        ...

    def read(self, case: AuditCase, altered: Sequence[Altered]) -> list[LabelArray]:
        """Label maps of a case, one for each report."""
        ...


class SentencesOfModel:
    """Vectors of the sentences of an audit, in the embedding of the model.

    Args:
        predictor: with the model loaded.
        bank_folders: folders in which a bank of the model's encoder may be.
        encoder: for sentences that are in no bank; the model's own by default.
    """

    def __init__(self, predictor: MultiReportPredictor, *, bank_folders: Sequence[Path], encoder: str | None) -> None:
        self._conditioning = ReportConditioning.from_plans(predictor.plans_manager.plans)
        self._bank_folders = bank_folders
        self._encoder = encoder
        self._device = predictor.device.type
        self.vectors = PredictionVectors(self._conditioning.text_dim)

    def prepare(self, reports: Mapping[str, CaseReport]) -> None:
        """Embed all sentences.

        Raises:
            ModelMismatchError: the encoder is needed and not there, or is another one.
        """
        embed_for_prediction(
            reports,
            self._conditioning,
            bank_folders=self._bank_folders,
            encoder=self._encoder,
            device=self._device,
            vectors=self.vectors,
        )


class ModelReader:
    """A trained model.

    Args:
        predictor: with the model loaded.
        bank_folders: folders in which a bank of the model's encoder may be.
        encoder: for sentences that are in no bank; the model's own by default.

    Raises:
        ModelMismatchError: the model is a cascade's second stage, is asked for findings, or reads no reports.
    """

    def __init__(self, predictor: MultiReportPredictor, *, bank_folders: Sequence[Path], encoder: str | None) -> None:
        predictor.require_report_guided()
        stage = predictor.configuration_manager.previous_stage_name
        if stage is not None:
            raise ModelMismatchError.about(
                "a configuration with a previous stage cannot be audited",
                value=stage,
                fix="audit a configuration that sees the image alone",
            )
        if ReportConditioning.from_plans(predictor.plans_manager.plans).adapter.grounding:
            raise ModelMismatchError.about(
                "a model that segments one finding at a time cannot be audited",
                value=predictor.trainer_name,
                fix="its training ends with the scores of each finding and of denials: validation/findings.json",
            )
        self._predictor = predictor
        self._sentences = SentencesOfModel(predictor, bank_folders=bank_folders, encoder=encoder)
        self._grid: Grid | None = None  # of the case whose voxels were read last

    def prepare(self, cases: Sequence[AuditCase], reports: Mapping[str, CaseReport]) -> None:
        """Check channels and orientation of the images, and embed all sentences.

        Raises:
            DatasetError: a case has more or fewer channels than in training.
            GeometryError: a header cannot be read, or patient left-right is another array axis than in training.
            ModelMismatchError: the encoder is needed and not there, or is another one.
        """
        self._predictor.axes_of_files([[str(file) for file in case.images] for case in cases])
        self._sentences.prepare(reports)

    def voxels(self, case: AuditCase, labels: LabelSet) -> CaseVoxels:
        """From the case's files.

        Raises:
            DatasetError: one cannot be used.
        """
        found = read_voxels(case, labels)
        self._grid = found.grid
        return found

    def read(self, case: AuditCase, altered: Sequence[Altered]) -> list[LabelArray]:
        """Preprocess the image once, and predict it under all reports.

        Raises:
            DatasetError: the image ends too early, holds what is no number, or lies on another grid than its label.
        """
        require_whole_images(case.images, case=case.case_id)
        predictor = self._predictor
        preprocessor = predictor.configuration_manager.preprocessor_class(verbose=False)
        image, _, properties = preprocessor.run_case(
            [str(file) for file in case.images],
            None,
            predictor.plans_manager,
            predictor.configuration_manager,
            predictor.dataset_json,
        )
        self._require_grid(case, properties)
        data = torch.from_numpy(image).to(dtype=torch.float32, memory_format=torch.contiguous_format)
        require_numbers(data, case=case.case_id)
        axes = patient_axes(properties, predictor.plans_manager.transpose_forward)
        masks: dict[int, LabelArray] = {}
        for blank in (False, True):
            chosen = [n for n, a in enumerate(altered) if a.blank is blank]
            if chosen:
                shown = torch.zeros_like(data) if blank else data
                chosen_reports = [altered[n].report for n in chosen]
                found = predictor.segment_reports(shown, chosen_reports, self._sentences.vectors, axes, properties)
                masks.update(zip(chosen, found, strict=True))
        return [masks[n] for n in range(len(altered))]

    def _require_grid(self, case: AuditCase, properties: Mapping[str, Any]) -> None:
        """Place of image and label; that their shapes agree is seen when a prediction is scored."""
        if self._grid is None:
            return
        shape = tuple(int(size) for size in self._grid.parts["shape"])
        difference = Grid.of_properties(shape, properties).difference(self._grid)
        if difference is not None:
            raise DatasetError.about(
                f"image and label differ in {difference}",
                case=case.case_id,
                file=case.label,
                fix="give the label on the grid of the image",
            )
