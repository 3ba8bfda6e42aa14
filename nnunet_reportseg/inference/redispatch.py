"""nnU-Net's stock commands, with reports: one small, idempotent hook, installed when a trainer of ours is imported.

``nnUNetv2_predict`` and the final validation create a plain nnUNetPredictor; it turns into a ReportGuidedPredictor when
its first predicting method is called with a ReportGuidedUNet loaded. ``-pretrained_weights`` demands a weight for every
key of the network (run/load_pretrained_weights.py), which plain nnU-Net weights cannot have for the adapters; they are
loaded into the planned part. Nothing changes for other networks. A later search for trainers in this process finds them
beside the modules of transformers too (nnunet_reportseg.trainer_folder.load_lazy_modules).
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.run import run_training
from nnunetv2.utilities import find_class_by_name
from torch import nn

from nnunet_reportseg.checkpoints import read_checkpoint
from nnunet_reportseg.compatibility import require_supported_nnunet
from nnunet_reportseg.conditioning import ReportConditioning
from nnunet_reportseg.errors import ModelMismatchError
from nnunet_reportseg.inference.report_guided_predictor import ReportGuidedPredictor
from nnunet_reportseg.network.report_guided_unet import PlannedBackbone, ReportGuidedUNet, unwrap
from nnunet_reportseg.refusals import refuse_in_nnunet_commands
from nnunet_reportseg.trainer_folder import load_lazy_modules

PREDICTING_METHODS = (
    "predict_from_files",
    "predict_from_files_sequential",
    "get_data_iterator_from_raw_npy_data",
    "predict_from_data_iterator",
    "predict_single_npy_array",
    "predict_logits_from_preprocessed_data",
    "predict_sliding_window_return_logits",
)
_MARK = "_redispatches_to_reportseg"


def install_redispatch() -> None:
    """Install the hooks, and let nnU-Net's commands end with our messages; a second call does nothing.

    Raises:
        VersionError: nnU-Net is not of a supported version.
    """
    refuse_in_nnunet_commands()
    require_supported_nnunet()
    for name in PREDICTING_METHODS:
        original = getattr(nnUNetPredictor, name)
        if not hasattr(original, _MARK):
            setattr(nnUNetPredictor, name, _redispatching(original, name))
    if not hasattr(run_training.load_pretrained_weights, _MARK):
        run_training.load_pretrained_weights = _loading_plain_weights(run_training.load_pretrained_weights)
    search = find_class_by_name.temporarily_cleanup_imports_from_path
    if not hasattr(search, _MARK):
        find_class_by_name.temporarily_cleanup_imports_from_path = _after_lazy_modules(search)


def _after_lazy_modules(original: Any) -> Any:
    @functools.wraps(original)
    def temporarily_cleanup_imports_from_path(path: str) -> Any:
        load_lazy_modules()
        return original(path)

    setattr(temporarily_cleanup_imports_from_path, _MARK, True)
    return temporarily_cleanup_imports_from_path


def _redispatching(original: Any, name: str) -> Any:
    @functools.wraps(original)
    def method(self: nnUNetPredictor, *args: Any, **kwargs: Any) -> Any:
        if type(self) is nnUNetPredictor and isinstance(self.network, nn.Module):
            if isinstance(unwrap(self.network), ReportGuidedUNet):
                self.__class__ = ReportGuidedPredictor
                return getattr(self, name)(*args, **kwargs)
        return original(self, *args, **kwargs)

    setattr(method, _MARK, True)
    return method


def _require_same_encoder(network: ReportGuidedUNet, checkpoint: dict[str, Any], file: str | Path) -> None:
    trained = ReportConditioning.from_plans(checkpoint["init_args"]["plans"], file=Path(file))
    if trained.encoder_fingerprint != network.encoder_fingerprint:
        raise ModelMismatchError.about(
            f"it was trained with encoder '{trained.encoder}' (fingerprint {trained.encoder_fingerprint}), the "
            "reports at hand are embedded with another",
            file=file,
            value=network.encoder_fingerprint,
            fix=f"run reportseg embed with -e {trained.encoder} and export REPORTSEG_ENCODER={trained.encoder}",
        )


def _loading_plain_weights(original: Any) -> Any:
    @functools.wraps(original)
    def load_pretrained_weights(network: nn.Module, fname: str | Path, verbose: bool = False) -> None:
        report_network = unwrap(network)
        if isinstance(report_network, ReportGuidedUNet):
            checkpoint = read_checkpoint(Path(fname), needed=("network_weights",))
            if any(key.startswith("report_adapter.") for key in checkpoint["network_weights"]):
                _require_same_encoder(report_network, checkpoint, fname)
            else:
                network = PlannedBackbone(report_network)
        original(network, fname, verbose)

    setattr(load_pretrained_weights, _MARK, True)
    return load_pretrained_weights
