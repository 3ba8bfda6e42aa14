"""The arguments of a training, checked before nnU-Net is called: it ends with a traceback on each of these.

run/run_training.py and utilities/plans_handling/plans_handler.py of nnunetv2 2.8 are what has to be satisfied.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar_format import name_some
from nnunet_reportseg.splits import NNUNET_FOLDS, SPLITS_FILE, read_splits
from nnunet_reportseg.text_file import read_json_object


def require_configuration(folder: Path, plans: str, configuration: str) -> None:
    """Make sure that a plans file has a configuration.

    Args:
        folder: ``nnUNet_preprocessed/DatasetXXX_Name``.
        plans: name of the plans file without its ending.
        configuration: the configuration.

    Raises:
        DatasetError: no such plans file or configuration; lists what there is.
    """
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    file = folder / f"{plans}.json"
    if not file.is_file():
        found = sorted(f.stem for f in folder.glob("*.json") if b'"configurations"' in f.read_bytes())
        raise DatasetError.about(
            f"no such plans file; there is {', '.join(found) or 'none'}",
            file=file,
            value=plans,
            fix="choose one of these with -p, or plan first: nnUNetv2_plan_and_preprocess",
        )
    again = "plan again, or copy the file again"
    content = read_json_object(file, DatasetError, what="the plans file", absent=again, start=again)
    known = content.get("configurations")
    if not isinstance(known, dict) or configuration not in known:
        raise DatasetError.about(
            f"no such configuration in these plans; there is {', '.join(known or ()) or 'none'}",
            file=file,
            value=configuration,
            fix="choose one of these, or other plans with -p",
        )
    if content.get("dataset_name") != folder.name:  # nnU-Net goes to the folder that is named here
        raise DatasetError.about(
            f"these plans are not of {folder.name}",
            file=file,
            value=content.get("dataset_name"),
            fix="move plans with nnUNetv2_move_plans_between_datasets, or correct dataset_name",
        )
    try:
        PlansManager(content).get_configuration(configuration)
    except (RuntimeError, ValueError, KeyError) as error:
        raise DatasetError.about(
            f"nnU-Net cannot read this configuration ({error})",
            file=file,
            value=configuration,
            fix="correct what it inherits_from, or plan again",
        ) from error


def require_fold(folder: Path, fold: str) -> None:
    """Make sure that a fold can be trained.

    nnU-Net itself takes a fold beyond those in ``splits_final.json`` for a random split, which is rarely meant.

    Args:
        folder: ``nnUNet_preprocessed/DatasetXXX_Name``.
        fold: a number or ``all``.

    Raises:
        DatasetError: no such fold; lists what there is.
    """
    if fold == "all":
        return
    splits = read_splits(folder)
    last = (NNUNET_FOLDS if splits is None else len(splits)) - 1
    if not fold.isdecimal() or int(fold) > last:
        raise DatasetError.about(
            f"no such fold; there are 0 to {last}, and all",
            file=None if splits is None else folder / SPLITS_FILE,
            value=fold,
            fix="choose one of these",
        )


def require_split(folder: Path, fold: int | str, cases: Sequence[str]) -> None:
    """Make sure that a fold can be made of the preprocessed cases.

    Args:
        folder: ``nnUNet_preprocessed/DatasetXXX_Name``.
        fold: a number or ``all``.
        cases: the preprocessed cases.

    Raises:
        DatasetError: ``splits_final.json`` names other cases or none, or there are too few cases for a new one.
    """
    splits, file = read_splits(folder), folder / SPLITS_FILE
    if fold == "all" or (splits is not None and int(fold) >= len(splits)):
        return
    if splits is None:
        if len(cases) < NNUNET_FOLDS:
            raise DatasetError.about(
                f"{len(cases)} cases cannot be split into {NNUNET_FOLDS} folds",
                file=file,
                fix="train the fold 'all', or write this file as in nnU-Net's documentation/manual_data_splits.md",
            )
        return
    split = splits[int(fold)]
    unknown = sorted({*split["train"], *split["val"]} - set(cases))
    if unknown or not split["train"]:
        raise DatasetError.about(
            f"fold {fold} has {len(unknown)} cases that are not preprocessed: {name_some(unknown)}"
            if unknown
            else f"fold {fold} has no training cases",
            case=unknown[0] if unknown else None,
            file=file,
            fix="correct the file, or preprocess again; without the file nnU-Net writes a new one",
        )
