"""Prediction of many files in one process: threads read ahead and write behind the network.

nnU-Net starts worker processes for preprocessing and export (nnunetv2 2.8, inference/predict_from_raw_data.py,
predict_from_data_iterator), each of which imports torch and nnunetv2 anew and gets its logits through a pipe. Reading,
resampling and writing spend their time outside of Python's lock, so threads do as well, and logits become labels where
they are (nnunet_reportseg.inference.class_by_class).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import torch
from nnunetv2.configuration import default_num_processes
from nnunetv2.inference.data_iterators import PreprocessAdapter
from nnunetv2.inference.export_prediction import (
    convert_predicted_logits_to_segmentation_with_correct_shape,
    export_prediction_from_logits,
)
from nnunetv2.inference.sliding_window_prediction import compute_gaussian
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.helpers import empty_cache
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager
from numpy.typing import NDArray

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.frames import Frame, compose, crop_frame
from nnunet_reportseg.inference.body_box import body_box, body_threshold, with_outside
from nnunet_reportseg.inference.class_by_class import label_map, torch_resampling
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from nnunet_reportseg.report_tensors import SentenceVectors


class StreamingPredictor(MultiReportPredictor):
    """Predicts files with threads beside the network.

    Attributes:
        resample_as_planned: whether logits are resampled with the function that the plans name, as nnUNetv2_predict
            does; that is slower and needs memory for all classes at once.
        crop_to_body: whether the network sees the box of the body alone (nnunet_reportseg.inference.body_box).
    """

    resample_as_planned: bool = False
    crop_to_body: bool = False

    def _predict_under(
        self, reports: Sequence[CaseReport], vectors: SentenceVectors, frame: Frame, data: torch.Tensor
    ) -> torch.Tensor:
        """As without the option; outside of the box of the body is background."""
        if not self.crop_to_body:
            return super()._predict_under(reports, vectors, frame, data)
        shape = tuple(data.shape[1:])
        threshold = body_threshold(self.plans_manager, self.configuration_manager)
        box = body_box(data[0], threshold, self.configuration_manager.patch_size)
        frame = compose(frame, crop_frame([along.start for along in box], len(box)))
        logits = super()._predict_under(reports, vectors, frame, data[(slice(None), *box)])
        heads = self.label_manager.num_segmentation_heads // len(reports)
        return with_outside(logits, box, shape, heads, background=not self.label_manager.has_regions)

    def _internal_get_data_iterator_from_lists_of_filenames(
        self,
        input_list_of_lists: list[list[str]],
        seg_from_prev_stage_files: list[str | None] | None,
        output_filenames_truncated: list[str] | None,
        num_processes: int,
    ) -> Iterator[dict[str, Any]]:
        """Preprocessed cases in order; ``num_processes`` threads are each one case ahead."""
        previous = seg_from_prev_stage_files or [None] * len(input_list_of_lists)
        configuration = self.configuration_manager
        if configuration.preprocessor_class is DefaultPreprocessor and not any(previous):
            configuration = ImagesAlone(configuration.configuration)
        threads = max(1, min(num_processes, len(input_list_of_lists)))
        adapters = [
            PreprocessAdapter(
                input_list_of_lists[start::threads],
                previous[start::threads],
                configuration.preprocessor_class(verbose=self.verbose_preprocessing),
                None if output_filenames_truncated is None else output_filenames_truncated[start::threads],
                self.plans_manager,
                self.dataset_json,
                configuration,
            )
            for start in range(threads)
        ]
        return _ahead(adapters, len(input_list_of_lists))

    def predict_from_data_iterator(
        self,
        data_iterator: Iterable[Mapping[str, Any]],
        save_probabilities: bool = False,
        num_processes_segmentation_export: int = default_num_processes,
    ) -> list[Any]:
        """As nnU-Net: writes files, or returns what has no file name; ``num_processes_...`` threads write."""
        results: list[Any] = []
        with ThreadPoolExecutor(max(1, num_processes_segmentation_export)) as writers:
            pending: deque[Future[Any]] = deque()
            for item in data_iterator:
                name = item["ofile"]
                logits = self.predict_logits_from_preprocessed_data(_array(item["data"]))
                pending.append(self._export(writers, logits, item["data_properties"], name, save_probabilities))
                del logits
                while len(pending) > max(1, num_processes_segmentation_export):
                    results.append(pending.popleft().result())
            results += [future.result() for future in pending]
        compute_gaussian.cache_clear()
        empty_cache(self.device)
        return results

    def _export(
        self,
        writers: ThreadPoolExecutor,
        logits: torch.Tensor,
        properties: dict[str, Any],
        name: str | None,
        probabilities: bool,
    ) -> Future[Any]:
        plans, configuration = self.plans_manager, self.configuration_manager
        resampling = None if probabilities or self.resample_as_planned else torch_resampling(configuration)
        if resampling is None:
            arrays = logits.cpu().numpy()
            by_nnunet: Callable[[], Any]
            if name is None:
                by_nnunet = partial(
                    convert_predicted_logits_to_segmentation_with_correct_shape,
                    *(arrays, plans, configuration, self.label_manager, properties, probabilities),
                )
            else:
                by_nnunet = partial(
                    export_prediction_from_logits,
                    *(arrays, properties, configuration, plans, self.dataset_json, name, probabilities),
                )
            return writers.submit(by_nnunet)
        convert = partial(
            label_map,
            *(logits, properties),
            plans=plans,
            configuration=configuration,
            labels=self.label_manager,
            resampling=resampling,
        )
        cpu = torch.device("cpu")
        try:
            found = convert(device=self.device if self.device.type == "cuda" else cpu)
        except torch.cuda.OutOfMemoryError:
            found = convert(device=cpu)
        return writers.submit(self._finish, found, name, properties)

    def _finish(self, labels: NDArray[Any], name: str | None, properties: dict[str, Any]) -> NDArray[Any] | None:
        """Write a label map; return it where it has no file name."""
        if name is None:
            return labels
        writer = self.plans_manager.image_reader_writer_class()
        writer.write_seg(labels, name + self.dataset_json["file_ending"], properties)
        return None


class ImagesAlone(ConfigurationManager):  # type: ignore[misc]
    """A configuration for images without segmentation.

    DefaultPreprocessor.run_case_npy (nnunetv2 2.8) resamples the mask of the body all the same, and it is thrown away.
    """

    @property
    def resampling_fn_seg(self) -> Any:
        """Gives an empty segmentation of the new shape."""
        return _nothing_of_shape


def _nothing_of_shape(segmentation: NDArray[Any], new_shape: Sequence[int], *_: Any, **__: Any) -> NDArray[np.int8]:
    return np.zeros((len(segmentation), *(int(size) for size in new_shape)), dtype=np.int8)


def _ahead(adapters: Sequence[Any], total: int) -> Iterator[dict[str, Any]]:
    """Items of adapters in turn, each adapter working on its next one meanwhile."""
    with ThreadPoolExecutor(len(adapters)) as readers:
        running = deque(readers.submit(next, adapter) for adapter in adapters)
        for number in range(total):
            item = running.popleft().result()
            if number + len(adapters) < total:
                running.append(readers.submit(next, adapters[number % len(adapters)]))
            yield item


def _array(data: Any) -> torch.Tensor:
    """A preprocessed image; nnU-Net hands large arrays over as a file."""
    if isinstance(data, str):
        loaded = torch.from_numpy(np.load(data))
        os.remove(data)
        return loaded
    return torch.as_tensor(data).to(dtype=torch.float32, memory_format=torch.contiguous_format)
