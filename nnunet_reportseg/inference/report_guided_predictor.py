"""nnUNetPredictor with reports.

nnU-Net's network sees only tiles, so the predictor keeps track of which case is being predicted: the ordered case ids
come from _manage_input_and_output_lists, and predict_logits_from_preprocessed_data runs once for each of them, in this
order, in all of nnU-Net's modes (nnunetv2 2.8, inference/predict_from_raw_data.py). For every tile it derives the
patient frame, flips included.
"""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from torch import Tensor

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.errors import GeometryError, ModelMismatchError, ReportContextError, SidecarError
from nnunet_reportseg.frames import Frame, compose, crop_frame, flip_frame, frame_tensor, patient_frame, reflected
from nnunet_reportseg.geometry import PatientAxes, patient_axes, properties_of_file
from nnunet_reportseg.image_errors import require_numbers, require_stated_sizes, require_whole_images
from nnunet_reportseg.inference.checked_before_writing import checked_before_writing
from nnunet_reportseg.inference.prediction_reports import (
    PredictionVectors,
    bank_folders,
    load_prediction_reports,
    sidecar_of,
)
from nnunet_reportseg.inference.questions import require_question
from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet, is_compiled, unwrap
from nnunet_reportseg.raw_dataset import require_channels
from nnunet_reportseg.report_tensors import SentenceVectors, report_tensors
from nnunet_reportseg.report_twins import mirrored_tensors, which_are_mirrored
from nnunet_reportseg.sidecar import Sidecar
from text_conditioning.memory import ReportTensors

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Case:
    """A case that is about to be predicted."""

    case_id: str
    axes: PatientAxes | None = None
    files: tuple[str, ...] = ()


class ReportGuidedPredictor(nnUNetPredictor):
    """Predicts with the report of each case.

    Reports come from :meth:`use_reports`; without it, from ``reports.json`` in the input folder.
    """

    sidecar: Sidecar | None = None
    encoder: str | None = None
    _given = False
    _reports: Mapping[str, CaseReport] | None = None
    _vectors: PredictionVectors | None = None
    _queue: deque[_Case] | None = None
    _given_context: tuple[ReportTensors, ReportTensors | None, Frame] | None = None
    _tiles: Iterator[Any] | None = None
    _volume_shape: tuple[int, ...] = ()
    _padding: tuple[int, ...] = ()

    # --------------------------------------------------------------------------------------------------- reports

    def use_reports(self, sidecar: Sidecar, *, encoder: str | None = None) -> None:
        """Predict with these reports instead of ``reports.json`` of the input folder.

        Args:
            sidecar: reports by case id.
            encoder: encoder for sentences that are in no bank; the model's own by default.
        """
        self.sidecar = sidecar
        self.encoder = encoder
        self._given = True

    def queue_cases(self, case_ids: Sequence[str], axes: Sequence[PatientAxes | None] | None = None) -> None:
        """Announce the cases of the following predictions, in order. Needed for arrays, which have no file names.

        Args:
            case_ids: keys of the sidecar.
            axes: patient axes of each; found from the properties, or else those of the training, where None.

        Raises:
            SidecarError: no sidecar, or a case without entry.
            ModelMismatchError: the model is asked for findings, which files and arrays alone do not do.
        """
        if self.sidecar is None:
            raise SidecarError(f"No reports were given for {', '.join(case_ids)}. Call use_reports() first.")
        # the sidecar itself announces the cases that it lacks, and takes them in
        announced = {case for case in case_ids if case not in self.sidecar}
        self._reports, self._vectors = load_prediction_reports(
            self.sidecar,
            case_ids,
            self._conditioning,
            bank_folders=bank_folders(self.sidecar, self.plans_manager.dataset_name),
            encoder=self.encoder,
            device=self.device.type,
            vectors=self._vectors,
        )
        require_question(self._conditioning, [self._reports[case_id] for case_id in case_ids])
        for case_id in case_ids:
            if not self._reports[case_id].sentences and case_id not in announced:
                _log.warning("%s has no report; predicting with the null report", case_id)
        found = [None] * len(case_ids) if axes is None else list(axes)
        queue = [_Case(case, a) for case, a in zip(case_ids, found, strict=True)]
        for case in queue:
            if case.axes is not None:
                self._require_trained_axis(case.case_id, case.axes)
        self._queue = deque(queue)

    def queue_files(self, lists: Sequence[Sequence[str]]) -> None:
        """Announce cases by their image files, in order; orientation is read from the headers.

        Args:
            lists: for each case its channel files, as nnU-Net lists them.

        Raises:
            DatasetError: a case has more or fewer channels than in training.
            SidecarError: no sidecar, or a case without entry.
            GeometryError: a header cannot be read, or patient left-right is another array axis than in training.
        """
        suffix = len("_0000" + self.dataset_json["file_ending"])
        self.queue_cases([Path(files[0]).name[:-suffix] for files in lists], self.axes_of_files(lists))
        self._queue = deque(replace(c, files=tuple(files)) for c, files in zip(self._queue or (), lists, strict=True))

    def axes_of_files(self, lists: Sequence[Sequence[str]]) -> list[PatientAxes]:
        """Patient axes of images, from their headers.

        Args:
            lists: for each case its channel files, as nnU-Net lists them.

        Raises:
            DatasetError: a case has more or fewer channels than in training, or an image that ends too early.
            GeometryError: a header cannot be read, or patient left-right is another array axis than in training.
        """
        suffix = len("_0000" + self.dataset_json["file_ending"])
        reader = self.plans_manager.plans["image_reader_writer"]
        transpose = self.plans_manager.transpose_forward
        axes = []
        for files in lists:
            case, first = Path(files[0]).name[:-suffix], Path(files[0])
            require_channels(files, self.dataset_json, case=case)
            axes.append(patient_axes(properties_of_file(first, reader, case=case), transpose))
            self._require_trained_axis(case, axes[-1], first)
            require_stated_sizes(files, case=case)
        return axes

    def require_report_guided(self) -> None:
        """Check that the loaded model reads reports.

        Raises:
            ModelMismatchError: it does not.
        """
        if not isinstance(unwrap(self.network), ReportGuidedUNet):
            raise ModelMismatchError.about(
                f"the model was trained with {self.trainer_name}, which reads no reports",
                value=type(unwrap(self.network)).__name__,
                fix="choose a model of ReportGuidedTrainer, or predict with nnUNetv2_predict",
            )

    @property
    def _conditioning(self) -> ReportConditioning:
        return ReportConditioning.from_plans(self.plans_manager.plans)

    @property
    def _report_network(self) -> ReportGuidedUNet:
        network = unwrap(self.network)
        if not isinstance(network, ReportGuidedUNet):
            raise ReportContextError(f"ReportGuidedPredictor needs a ReportGuidedUNet, got {type(network).__name__}.")
        return network

    # ------------------------------------------------------------------------------------------- cases, in order

    predict_from_files = checked_before_writing(nnUNetPredictor.predict_from_files)
    predict_from_files_sequential = checked_before_writing(nnUNetPredictor.predict_from_files_sequential)

    def _manage_input_and_output_lists(
        self, list_of_lists_or_source_folder: str | list[list[str]], *args: Any, **kwargs: Any
    ) -> tuple[list[list[str]], list[str] | None, list[str | None]]:
        """As nnU-Net; the cases that it decides to predict are queued with their reports."""
        source = list_of_lists_or_source_folder
        lists, outputs, previous = super()._manage_input_and_output_lists(source, *args, **kwargs)
        if not lists:
            return lists, outputs, previous
        folder = Path(source) if isinstance(source, str) else Path(lists[0][0]).parent
        if not self._given:
            self.sidecar = sidecar_of(folder)
        self.queue_files(lists)
        return lists, outputs, previous

    def get_data_iterator_from_raw_npy_data(
        self,
        image_or_list_of_images: Any,
        segs_from_prev_stage_or_list_of_segs_from_prev_stage: Any,
        properties_or_list_of_properties: Any,
        truncated_ofname: str | list[str] | None,
        num_processes: int = 3,
    ) -> Any:
        """As nnU-Net; case ids are the names of the output files, or those of :meth:`queue_cases`."""
        self._queue_arrays(truncated_ofname, properties_or_list_of_properties)
        return super().get_data_iterator_from_raw_npy_data(
            image_or_list_of_images,
            segs_from_prev_stage_or_list_of_segs_from_prev_stage,
            properties_or_list_of_properties,
            truncated_ofname,
            num_processes,
        )

    def predict_single_npy_array(
        self,
        input_image: np.ndarray,
        image_properties: dict[str, Any],
        segmentation_previous_stage: np.ndarray | None = None,
        output_file_truncated: str | None = None,
        save_or_return_probabilities: bool = False,
    ) -> Any:
        """As nnU-Net; the case id is the name of the output file, or that of :meth:`queue_cases`."""
        self._queue_arrays(output_file_truncated, image_properties)
        return super().predict_single_npy_array(
            input_image,
            image_properties,
            segmentation_previous_stage,
            output_file_truncated,
            save_or_return_probabilities,
        )

    def _queue_arrays(self, names: str | list[str] | None, properties: Any) -> None:
        properties = [properties] if isinstance(properties, dict) else list(properties)
        axes = [patient_axes(p, self.plans_manager.transpose_forward) for p in properties]
        if names is not None or not self._queue:
            if names is None:
                raise ReportContextError(
                    "Arrays have no file names, so their reports are not known. Call queue_cases([case, ...]) in the "
                    "order of the arrays, or give output file names."
                )
            names = [names] if isinstance(names, str) else names
            self.queue_cases([Path(name).name for name in names], [a if a.known else None for a in axes])
            return
        self._queue = deque(
            replace(case, axes=case.axes or (a if a.known else None)) for case, a in zip(self._queue, axes, strict=True)
        )

    # ---------------------------------------------------------------------------------------------------- logits

    def predict_logits_from_preprocessed_data(self, data: Tensor) -> Tensor:
        """Logits of the next queued case.

        Raises:
            DatasetError: its image ends too early, which nnU-Net's readers do not see.
        """
        if not self._queue or self._reports is None or self._vectors is None:
            raise ReportContextError(
                "A volume is to be predicted, but no case is queued, so its report is not known. Use "
                "predict_from_files, predict_from_files_sequential or queue_cases."
            )
        case = self._queue.popleft()
        _log.info("Predicting %s", case.case_id)
        require_whole_images(case.files, case=case.case_id)
        axes = self._axes_of(case)
        frame = patient_frame(tuple(data.shape[1:]), axes.axes, axes.signs)
        return self._predict_under([self._reports[case.case_id]], self._vectors, frame, data)

    def _predict_under(
        self, reports: Sequence[CaseReport], vectors: SentenceVectors, frame: Frame, data: Tensor
    ) -> Tensor:
        """nnU-Net's prediction of a volume with this patient frame, averaged over folds, under reports."""
        conditioning = self._conditioning
        require_question(conditioning, reports)
        require_numbers(data, case=reports[0].case_id)
        length = conditioning.padded_to(compiled=is_compiled(self.network))
        own = report_tensors(reports, vectors, length=length)
        mirrored = None
        if self.use_mirroring and conditioning.mirrors_patients:
            mirrored = mirrored_tensors(reports, vectors, length=length)
        self._given_context = (own, mirrored, frame)
        try:
            return super().predict_logits_from_preprocessed_data(data)
        finally:
            self._given_context = None
            self._report_network.clear_context()

    def _axes_of(self, case: _Case) -> PatientAxes:
        conditioning = self._conditioning
        axes = case.axes
        if axes is None:
            if conditioning.patient_axes is None:
                raise GeometryError(
                    f"{case.case_id}: the array has no orientation, and the training images had different ones. Pass "
                    "properties with "
                    "'sitk_stuff' as nnU-Net's reader returns them, or axes to queue_cases."
                )
            _log.warning("%s has no orientation; assuming that of the training images", case.case_id)
            axes = conditioning.patient_axes
        return axes

    def _require_trained_axis(self, case_id: str, axes: PatientAxes, file: Path | None = None) -> None:
        trained = self._conditioning.left_right_axis
        found = axes.left_right if axes.known else None
        if found != trained:
            raise GeometryError.about(
                f"patient left-right is array axis {found}, in training it was {trained}; nnU-Net does not reorient",
                case=case_id,
                file=file,
                value=found,
                fix="reorient the image as the training images, for example with SimpleITK.DICOMOrient",
            )

    def predict_sliding_window_return_logits(self, input_image: Tensor) -> Tensor:
        """Logits of a preprocessed volume under the report that the network was given."""
        network = self._report_network.to(self.device)  # nnU-Net does so further on: the report goes where it is
        if self._given_context is not None:
            report, mirrored, frame = self._given_context
            # only now, because each fold, whose weights have just been loaded, whitens with its own training sentences
            network.set_report(report, mirrored=mirrored, volume_frame=frame)
        if network.report is None or network.volume_frame is None:
            raise ReportContextError(
                "predict_sliding_window_return_logits was called without a report; set one with "
                "ReportGuidedUNet.set_report(report, "
                "volume_frame=...), or use predict_from_files."
            )
        self._volume_shape = tuple(input_image.shape[1:])
        return super().predict_sliding_window_return_logits(input_image)

    def _internal_predict_sliding_window_return_logits(
        self, data: Tensor, slicers: Iterable[Any], do_on_device: bool = True
    ) -> Tensor:
        slicers = list(slicers)
        # tiles are predicted in the order of the slicers (one producer, one queue); pad_nd_image puts the smaller half
        # first
        self._tiles = iter(slicers)
        self._padding = tuple((n - m) // 2 for n, m in zip(data.shape[1:], self._volume_shape, strict=True))
        return super()._internal_predict_sliding_window_return_logits(data, slicers, do_on_device)

    @torch.inference_mode()
    def _internal_maybe_mirror_and_predict(self, x: Tensor) -> Tensor:
        """Mean over flips, each with the patient frame of the flipped tile.

        A flip along left-right shows the mirrored patient: it is read with the mirrored report, where there is one. An
        image whose axes run the other way than in training is shown as the network knows it.
        """
        network = self._report_network
        frame, shape = self._next_tile_frame(x.ndim - 2), tuple(x.shape[2:])
        axes = tuple(self.allowed_mirroring_axes or ()) if self.use_mirroring else ()
        flips = [c for n in range(len(axes) + 1) for c in itertools.combinations(axes, n)]
        backwards = self._backwards(len(shape))
        own, mirrored = network.report, network.mirrored_report
        readings = [(own, False)] if mirrored is None else [(own, False), (mirrored, True)]
        total: Any = 0
        weight: Any = 0
        for (report, is_mirrored), flip in itertools.product(readings, flips):
            network.report = report
            of_patient = self._left_right(len(shape)) if is_mirrored else ()
            flipped = sorted(backwards.symmetric_difference((*flip, *of_patient)))
            turned = compose(frame, flip_frame(shape, flipped))
            network.set_frame(frame_tensor(reflected(turned) if is_mirrored else turned))
            dims = [axis + 2 for axis in flipped]
            logits = self._tile_logits(torch.flip(x, dims) if dims else x)
            logits = torch.flip(logits, dims) if dims else logits
            counts = which_are_mirrored(own, mirrored).to(logits) if is_mirrored else logits.new_ones(1)
            counts = counts.reshape(-1, *[1] * (logits.ndim - 1))
            total = total + counts * logits
            weight = weight + counts
        network.report = own
        return total / weight

    def _tile_logits(self, x: Tensor) -> Tensor:
        """Logits of a tile ``(1, C, *patch)`` under the reports that are set, ``(reports, heads, *patch)``."""
        logits: Tensor = self.network(x)
        return logits

    def _left_right(self, dimensions: int) -> tuple[int, ...]:
        """The axis of a patch along left-right; none for slices along it."""
        axis = self._conditioning.left_right_axis
        return () if axis is None or axis < 3 - dimensions else (axis - (3 - dimensions),)

    def _backwards(self, dimensions: int) -> set[int]:
        """Axes of a patch that run the other way than in all images of the training, which never saw such an image."""
        trained, volume = self._conditioning.patient_axes, self._report_network.volume_frame
        if trained is None or volume is None:
            return set()
        return {axis - (3 - dimensions) for axis in trained.backwards_in(volume)} - {-1}

    def _next_tile_frame(self, dimensions: int) -> Frame:
        volume = self._report_network.volume_frame
        if self._tiles is None or volume is None:
            raise ReportContextError("A tile was predicted outside predict_sliding_window_return_logits.")
        box = next(self._tiles)[1:]
        lower = [(s.start if isinstance(s, slice) else s) - p for s, p in zip(box, self._padding, strict=True)]
        return compose(volume, crop_frame(lower, dimensions))
