"""The folder of a trained model: where it is, and whether everything in it fits together.

nnU-Net reads plans.json, dataset.json and the checkpoints of all folds and fails in the middle where one of them is
damaged. Folds of one folder may even come from trainings with different encoders: their weights fit the network all the
same, and the prediction would be wrong.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from nnunet_reportseg.checkpoints import read_checkpoint
from nnunet_reportseg.conditioning import PLANS_KEY, ReportConditioning
from nnunet_reportseg.dataset_json import DATASET_JSON, read_label_set
from nnunet_reportseg.errors import DatasetError, ModelMismatchError
from nnunet_reportseg.paths import RESULTS, dataset_folder_name, require_paths
from nnunet_reportseg.text_file import read_json_object
from nnunet_reportseg.trainer_folder import require_trainer

PLANS_JSON = "plans.json"
_SAME_IN_ALL_FOLDS = ("encoder_fingerprint", "text_dim", "adapter", "left_right_axis")
_FIX = "copy the model folder again from where it was trained, or train again"


def trained_model(model: Path | None, dataset: str | None, trainer: str, plans: str, configuration: str) -> Path:
    """Folder of a trained model.

    Raises:
        PathsError: nnUNet_results is not set.
        DatasetError: there is no such model; names those that are there.
    """
    if model is None:
        if dataset is None:
            raise DatasetError.about("no model was named", fix="give -d (with -c, -tr, -p) or -m")
        (results,) = require_paths(RESULTS)
        model = results / dataset_folder_name(dataset, results) / f"{trainer}__{plans}__{configuration}"
    if not (model / PLANS_JSON).is_file():
        present = sorted(p.parent.name for p in model.parent.glob(f"*/{PLANS_JSON}")) if model.parent.is_dir() else []
        raise DatasetError.about(
            f"no trained model here; beside it: {', '.join(present) or 'none'}",
            file=model,
            fix="train first, or correct -d, -c, -tr and -p",
        )
    return model


def require_sound_model(model: Path, folds: Sequence[int | str] | None, checkpoint: str) -> None:
    """Make sure that nnU-Net can load a model.

    Args:
        model: its folder.
        folds: the folds to load; None for all that nnU-Net finds.
        checkpoint: name of the checkpoints.

    Raises:
        DatasetError: a fold was not trained, or the trainer is not there.
        ModelMismatchError: a file of the folder is damaged, or does not fit the others.
    """
    files = find_checkpoints(model, folds, checkpoint)
    plans = _read(model / PLANS_JSON)
    _read(model / DATASET_JSON)
    read_label_set(model / DATASET_JSON)
    block = None
    if PLANS_KEY in plans:
        block = ReportConditioning.from_plans(plans, file=model / PLANS_JSON)
    for file in files:
        content = read_checkpoint(file)
        configuration = content["init_args"]["configuration"]
        if configuration not in plans.get("configurations", {}):
            raise ModelMismatchError.about(
                f"the plans lack the configuration that {file} was trained with",
                file=model / PLANS_JSON,
                value=configuration,
                fix=_FIX,
            )
        require_trainer(content["trainer_name"])
        if block is not None:
            _require_same(block, content["init_args"]["plans"], file, model / PLANS_JSON)


def load_model(predictor: nnUNetPredictor, model: Path, folds: Sequence[int | str] | None, checkpoint: str) -> None:
    """Load a sound model, without nnU-Net's lines on where it looks for the trainer, which read like a failure.

    Args:
        predictor: takes the model.
        model: its folder.
        folds: the folds to load; None for all that nnU-Net finds.
        checkpoint: name of the checkpoints.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        predictor.initialize_from_trained_model_folder(str(model), folds, checkpoint)


def find_checkpoints(model: Path, folds: Sequence[int | str] | None, checkpoint: str) -> list[Path]:
    """The checkpoints of some folds; None for all folds that nnU-Net finds.

    Raises:
        DatasetError: one is not there; names those that are.
    """
    if folds is None:
        # as nnUNetPredictor.auto_detect_available_folds, which leaves fold_all out
        files = sorted(model.glob(f"fold_[0-9]*/{checkpoint}"))
        missing = [] if files else [checkpoint]
    else:
        files = [model / f"fold_{fold}" / checkpoint for fold in folds]
        missing = [str(file.relative_to(model)) for file in files if not file.is_file()]
    if missing:
        found = sorted(str(file.relative_to(model)) for file in model.glob("fold_*/*.pth"))
        raise DatasetError.about(
            f"checkpoint not found: {', '.join(missing)}",
            file=model,
            value=", ".join(found) or "no checkpoint",
            fix="choose -f all"
            if folds is None and (model / "fold_all" / checkpoint).is_file()
            else "finish the training, or choose a fold (-f) and checkpoint (-chk) that is there",
        )
    return files


def _require_same(block: ReportConditioning, plans: Mapping[str, Any], file: Path, plans_file: Path) -> None:
    trained = ReportConditioning.from_plans(plans, file=file)
    for name in _SAME_IN_ALL_FOLDS:
        if getattr(trained, name) != getattr(block, name):
            raise ModelMismatchError.about(
                f"the checkpoint was trained with another {PLANS_KEY}.{name} than in {plans_file}, which "
                f"has {getattr(block, name)!r}",
                file=file,
                value=getattr(trained, name),
                fix="train this fold again, or choose folds (-f) that were trained alike and their plans.json",
            )


def _read(file: Path) -> dict[str, Any]:
    return read_json_object(file, ModelMismatchError, what="the file", absent=_FIX, start=_FIX)
