"""Seconds of the steps of one prediction, ours and nnU-Net's, one after the other in one process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape

from nnunet_reportseg.case_reports import CaseReport
from nnunet_reportseg.embedding import BANK_FOLDER
from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.inference.class_by_class import label_map, torch_resampling
from nnunet_reportseg.inference.streaming import ImagesAlone, StreamingPredictor
from text_conditioning.bank import EmbeddingBank
from text_conditioning.reports import parse_report

T = TypeVar("T")


def stage_seconds(
    model: Path, image: Path, report: str, preprocessed: Path, device: torch.device
) -> dict[str, dict[str, float]]:
    """Seconds of each step; reading, network and writing are the same for both.

    Args:
        model: model folder.
        image: the file.
        report: text whose sentences are in the dataset's bank.
        preprocessed: preprocessed dataset folder.
        device: of the network.
    """
    predictor: Any = StreamingPredictor(
        device=device, use_mirroring=False, perform_everything_on_device=device.type == "cuda", allow_tqdm=False
    )
    predictor.initialize_from_trained_model_folder(str(model), ("all",), "checkpoint_final.pth")
    plans, configuration = predictor.plans_manager, predictor.configuration_manager
    reader = plans.image_reader_writer_class()
    (array, read), reading = _timed(lambda: reader.read_images([str(image)]))

    def preprocess(of: Any) -> Any:
        steps = of.preprocessor_class(verbose=False)
        return steps.run_case_npy(array, None, dict(read), plans, of, predictor.dataset_json)

    (_, _, _), stock_preprocessing = _timed(lambda: preprocess(configuration))
    (data, _, properties), our_preprocessing = _timed(lambda: preprocess(ImagesAlone(configuration.configuration)))
    (file,) = {index.fingerprint for index in EmbeddingBank.available(preprocessed / BANK_FOLDER)}
    bank = EmbeddingBank.open(preprocessed / BANK_FOLDER, file)
    said = CaseReport("case", parse_report(report).statements)
    axes = patient_axes(properties, plans.transpose_forward)
    tile = torch.as_tensor(data)
    (logits,), network = _timed(lambda: predictor.predict_reports(tile, [said], bank, axes))
    manager = plans.get_label_manager(predictor.dataset_json)
    arguments = {"plans": plans, "configuration": configuration, "labels": manager}
    resampling = torch_resampling(configuration)
    labels, ours = _timed(
        lambda: label_map(logits, properties, resampling=resampling, device=torch.device("cpu"), **arguments)
    )
    _, stock = _timed(
        lambda: convert_predicted_logits_to_segmentation_with_correct_shape(
            logits.cpu().numpy(), plans, configuration, manager, properties
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        _, writing = _timed(lambda: reader.write_seg(labels, str(Path(folder) / "labels.nii.gz"), properties))
    common = {"read": reading, "network": network, "write": writing}
    return {
        "stock": {**common, "preprocess": stock_preprocessing, "resample_and_label": stock},
        "ours": {**common, "preprocess": our_preprocessing, "resample_and_label": ours},
    }


def _timed(job: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    result = job()
    return result, round(time.perf_counter() - start, 2)
