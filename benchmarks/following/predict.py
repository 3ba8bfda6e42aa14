"""Masks of a test image under several reports, with one pass of the encoder per tile."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from following.conditions import Reading, distinct_reports, report_key
from following.token_keys import TokenKeysPredictor
from following.token_states import TOKEN_STATES
from following.variants import Variant
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.embedding import BANK_FOLDER
from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.inference.multi_report import MultiReportPredictor
from text_conditioning.bank import EmbeddingBank


def load_predictor(model: Path, device: torch.device, *, variant: Variant, step_size: float, mirroring: bool) -> Any:
    """The final weights of a variant's model."""
    kind = nnUNetPredictor
    if variant.guided:
        kind = TokenKeysPredictor if variant.encoder == TOKEN_STATES else MultiReportPredictor
    predictor: Any = kind(
        device=device,
        perform_everything_on_device=device.type == "cuda",
        use_mirroring=mirroring,
        tile_step_size=step_size,
        allow_tqdm=False,
    )
    predictor.initialize_from_trained_model_folder(str(model), ("all",), "checkpoint_final.pth")
    return predictor


def image_masks(
    predictor: Any, image: Path, found: Sequence[Reading], preprocessed: Path
) -> dict[tuple[str, ...], np.ndarray]:
    """Masks ``(z, y, x)`` on the image's own grid, for each report of the readings.

    Args:
        predictor: from :func:`load_predictor`.
        image: the file.
        found: readings of this image.
        preprocessed: preprocessed dataset folder, whose bank has all sentences.
    """
    plans, configuration = predictor.plans_manager, predictor.configuration_manager
    preprocessor = configuration.preprocessor_class(verbose=False)
    array, _, properties = preprocessor.run_case([str(image)], None, plans, configuration, predictor.dataset_json)
    data = torch.as_tensor(array)
    if isinstance(predictor, MultiReportPredictor):
        conditioning = ReportConditioning.from_plans(plans.plans)
        bank = EmbeddingBank.open(preprocessed / BANK_FOLDER, conditioning.encoder_fingerprint)
        axes = patient_axes(properties, plans.transpose_forward)
        reports = distinct_reports(found)
        logits = predictor.predict_reports(data, reports, bank, axes)
        keys = [tuple(sentence.text for sentence in report.sentences) for report in reports]
    else:
        keys = [report_key(found[0])]
        logits = [predictor.predict_logits_from_preprocessed_data(data)]
    manager = plans.get_label_manager(predictor.dataset_json)
    threads = torch.get_num_threads()
    return {
        key: convert_predicted_logits_to_segmentation_with_correct_shape(
            part, plans, configuration, manager, properties, num_threads_torch=threads
        )
        for key, part in zip(keys, logits, strict=True)
    }
