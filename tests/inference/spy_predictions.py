"""Predictions of the spy workspace with several reports."""

from __future__ import annotations

import torch

from nnunet_reportseg.geometry import patient_axes
from nnunet_reportseg.inference.prediction_reports import bank_folder_of, load_prediction_reports
from tests.spy_workspace import CASES, DATASET, case_name

NAMES = [case_name(k) for k in range(CASES)]


def hearing_predictor(cls, model, folds, mirroring=True):
    """A predictor whose masks depend on the report."""
    predictor = cls(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=mirroring)
    predictor.initialize_from_trained_model_folder(str(model), folds)
    # a freshly trained network is nearly deaf; these weights hear
    generator = torch.Generator().manual_seed(0)
    for parameters in predictor.list_of_parameters:
        for name, value in parameters.items():
            if name.startswith("report_adapter.stages") and value.dtype == torch.float32:
                value += 0.3 * torch.randn(value.shape, generator=generator)
    return predictor


def image_of(predictor, root):
    """A preprocessed image, and its patient axes."""
    files = [str(root / "raw" / DATASET / "imagesTs" / f"{case_name(1)}_{c:04d}.nii.gz") for c in range(4)]
    preprocessor = predictor.configuration_manager.preprocessor_class(verbose=False)
    data, _, properties = preprocessor.run_case(
        files, None, predictor.plans_manager, predictor.configuration_manager, predictor.dataset_json
    )
    return torch.from_numpy(data), patient_axes(properties, predictor.plans_manager.transpose_forward)


def vectors_of(predictor, root, sidecar):
    """Vectors of all sentences of a sidecar."""
    folder = bank_folder_of(root / "preprocessed" / DATASET)
    _, vectors = load_prediction_reports(
        sidecar, NAMES, predictor._conditioning, bank_folders=[folder], encoder=None, device="cpu"
    )
    return vectors


def assert_equal_logits(found, expected):
    """Equal but for rounding: nnU-Net sums tiles and folds in half precision (predict_from_raw_data.py)."""
    step = torch.finfo(torch.half).eps * float(expected.float().abs().max())
    torch.testing.assert_close(found.float(), expected.float(), atol=4 * step, rtol=0)
