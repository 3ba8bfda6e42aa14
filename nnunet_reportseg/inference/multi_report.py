"""One image under many reports: the encoder runs once for each tile, the decoder once for each report.

The encoder of a report-guided network does not see the report (nnunet_reportseg/network/report_guided_unet.py), so its
features hold for all reports of an image. nnU-Net's own sliding window does the rest: for the time of a prediction it
sees R times as many segmentation heads (nnunetv2 2.8, inference/predict_from_raw_data.py,
_internal_predict_sliding_window_return_logits).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from nnunetv2.configuration import default_num_processes
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from numpy.typing import NDArray
from torch import Tensor

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.frames import compose, crop_frame, patient_frame
from nnunet_reportseg.geometry import PatientAxes
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.network.report_guided_unet import is_compiled, unwrap
from nnunet_reportseg.report_tensors import SentenceVectors
from text_conditioning.memory import ReportTensors

REPORTS_AT_ONCE = 4
RESULT_BYTES = 8 * 2**30
_BYTES_PER_LOGIT = 2  # nnU-Net keeps logits in half precision


class MultiReportPredictor(ReportGuidedPredictor):
    """Predicts an image under several reports.

    Attributes:
        reports_at_once: reports that are decoded in one pass; bounds the memory of the features.
        result_bytes: memory for logits; with more reports than fit, the encoder runs again for the next of them.
    """

    label_manager: Any
    reports_at_once: int = REPORTS_AT_ONCE
    result_bytes: int = RESULT_BYTES

    @classmethod
    def of_trainer(cls, trainer: Any, *, tile_step_size: float, mirroring: bool) -> MultiReportPredictor:
        """A predictor with the network of a running training, as it is now.

        Args:
            trainer: an initialised ReportGuidedTrainer; its network is shared, not copied.
            tile_step_size: of the sliding window, in tiles.
            mirroring: whether to average over the flips that the trainer allows.
        """
        predictor = cls(tile_step_size=tile_step_size, use_mirroring=mirroring, device=trainer.device, allow_tqdm=False)
        network = unwrap(trainer.network)
        predictor.manual_initialization(
            network,
            trainer.plans_manager,
            trainer.configuration_manager,
            [network.state_dict()],
            trainer.dataset_json,
            type(trainer).__name__,
            trainer.inference_allowed_mirroring_axes,
        )
        return predictor

    def predict_reports(
        self,
        data: Tensor,
        reports: Sequence[CaseReport],
        vectors: SentenceVectors,
        axes: PatientAxes,
        *,
        shape: Sequence[int] | None = None,
        lower: Sequence[int] | None = None,
    ) -> list[Tensor]:
        """Logits of a preprocessed image under each report.

        Args:
            data: ``(C, *volume)``, preprocessed.
            reports: without sentences for no report.
            vectors: of all their sentences.
            axes: patient axes of the image.
            shape: of the whole volume, where ``data`` is a crop of it.
            lower: first voxel of the crop along each axis.

        Returns:
            For each report ``(heads, *volume)``, as ReportGuidedPredictor gives them for this report alone.
        """
        heads = self.label_manager.num_segmentation_heads
        size = heads * int(data[0].numel()) * _BYTES_PER_LOGIT
        group = max(1, self.result_bytes // max(1, size))
        frame = patient_frame(tuple(data.shape[1:]) if shape is None else shape, axes.axes, axes.signs)
        if lower is not None:
            frame = compose(frame, crop_frame(lower, 3))
        # reports of about the same length share a pass, because each pays for the sentences of the longest
        order = sorted(range(len(reports)), key=lambda index: len(reports[index].read))
        logits: list[Tensor] = []
        for start in range(0, len(reports), group):
            chosen = [reports[index] for index in order[start : start + group]]
            original = self.label_manager
            self.label_manager = _ManyHeads(original, len(chosen))
            try:
                stacked = self._predict_under(chosen, vectors, frame, data)
            finally:
                self.label_manager = original
            logits += stacked.unflatten(0, (len(chosen), heads)).unbind(0)
        return [logits[order.index(index)] for index in range(len(reports))]

    def segment_reports(
        self,
        data: Tensor,
        reports: Sequence[CaseReport],
        vectors: SentenceVectors,
        axes: PatientAxes,
        properties: Mapping[str, Any],
    ) -> list[NDArray[np.int64]]:
        """Label maps of an image on its own grid, one for each report.

        Args:
            data: ``(C, *volume)``, preprocessed.
            reports: as for :meth:`predict_reports`.
            vectors: of all their sentences.
            axes: patient axes of the image.
            properties: of the image, as nnU-Net's preprocessor leaves them.
        """
        return [
            np.asarray(
                convert_predicted_logits_to_segmentation_with_correct_shape(
                    logits,
                    self.plans_manager,
                    self.configuration_manager,
                    self.label_manager,
                    properties,
                    num_threads_torch=min(default_num_processes, torch.get_num_threads()),
                )
            ).astype(np.int64)
            for logits in self.predict_reports(data, reports, vectors, axes)
        ]

    @torch.inference_mode()
    def _internal_maybe_mirror_and_predict(self, x: Tensor) -> Tensor:
        """As for one report; ``(1, R * heads, *patch)`` for several."""
        logits: Tensor = super()._internal_maybe_mirror_and_predict(x)
        return logits.flatten(0, 1)[None] if isinstance(self.label_manager, _ManyHeads) else logits

    def _tile_logits(self, x: Tensor) -> Tensor:
        """The tile is encoded once, and decoded for a few reports at a time."""
        if not isinstance(self.label_manager, _ManyHeads):
            return super()._tile_logits(x)
        network = self._report_network
        everything = network.report
        encoded = network.encode(x)
        decoded: list[Any] = []
        step = self._conditioning.padded_to(compiled=is_compiled(self.network))
        for part in _parts(everything, self.reports_at_once, step):
            network.report = part
            decoded.append(network.decode(encoded))
        network.report = everything
        return torch.cat(decoded)


class _ManyHeads:
    """nnU-Net's label manager, with the heads of R reports."""

    def __init__(self, manager: Any, reports: int) -> None:
        self._manager = manager
        self.num_segmentation_heads = manager.num_segmentation_heads * reports

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)


def _parts(reports: ReportTensors | None, size: int, step: int) -> list[ReportTensors]:
    """Some reports at a time, each part padded as if it were alone."""
    if reports is None:  # _predict_under has set them
        return []
    parts = []
    for start in range(0, len(reports.padding), max(1, size)):
        chosen = slice(start, start + max(1, size))
        longest = int((~reports.padding[chosen]).sum(1).max())
        length = step * max(1, -(-longest // step))
        parts.append(ReportTensors(*(tensor[chosen, :length] for tensor in reports)))
    return parts
