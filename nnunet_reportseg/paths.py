"""nnU-Net's folders, read from the environment at the moment they are needed.

nnU-Net fails late and in different ways when a variable is unset; these functions fail at once and by name.
"""

from __future__ import annotations

import os
from pathlib import Path

from nnunet_reportseg.errors import DatasetError, PathsError

RAW = "nnUNet_raw"
PREPROCESSED = "nnUNet_preprocessed"
RESULTS = "nnUNet_results"


def unset_paths(*names: str) -> list[str]:
    """Return one message for every variable that is unset or names no folder; all three when no name is given."""
    problems = []
    for name in names or (RAW, PREPROCESSED, RESULTS):
        value = os.environ.get(name, "")
        if not value.strip():
            problems.append(f"{name} is not set. Fix: export {name}=/path/to/{name}")
        elif not Path(value).exists():
            problems.append(
                f"{name} names a folder that does not exist (found: {value!r}). "
                f"Fix: correct the path, or make the folder: mkdir -p '{value}'"
            )
        elif not Path(value).is_dir():
            problems.append(f"{name} names no folder (found: {value!r}). Fix: export {name}=/path/to/{name}")
    return problems


def require_paths(*names: str) -> tuple[Path, ...]:
    """Return the folders that nnU-Net's variables name.

    Args:
        *names: ``nnUNet_raw``, ``nnUNet_preprocessed``, ``nnUNet_results``; all three when none is given.

    Raises:
        PathsError: A variable is unset or names a folder that does not exist; every such variable is in the message.
    """
    names = names or (RAW, PREPROCESSED, RESULTS)
    problems = unset_paths(*names)
    if problems:
        raise PathsError("\n".join(problems))
    return tuple(Path(os.environ[name]) for name in names)


def dataset_folder_name(dataset: str | int, root: Path) -> str:
    """Find ``DatasetXXX_Name`` under one of nnU-Net's folders.

    Args:
        dataset: A number (``501``, ``"501"``) or the whole name (``"Dataset501_Name"``).
        root: The folder to look in, for example ``nnUNet_raw``.

    Raises:
        DatasetError: No such dataset, or two of the same number; the message lists what is there.
    """
    root = Path(root)
    present = sorted(folder.name for folder in root.glob("Dataset[0-9][0-9][0-9]_*") if folder.is_dir())
    wanted = str(dataset).strip()
    if wanted in present:
        return wanted
    matches = [name for name in present if wanted.isdecimal() and int(name[7:10]) == int(wanted)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise DatasetError.about(
            f"two datasets have the number {wanted}: {', '.join(matches)}",
            file=root,
            value=wanted,
            fix="give the whole name, or rename one of them",
        )
    raise DatasetError.about(
        f"no such dataset; there is {', '.join(present) if present else 'no DatasetXXX_Name folder'}",
        file=root,
        value=wanted,
        fix=_first_step(root) + "give a number such as 501 or the whole name Dataset501_Name",
    )


def _first_step(root: Path) -> str:
    """What puts a dataset into this folder, where that is not the user's own doing."""
    steps = {PREPROCESSED: "run nnUNetv2_plan_and_preprocess first, or ", RESULTS: "train first, or "}
    return next((step for name, step in steps.items() if os.environ.get(name) and root == Path(os.environ[name])), "")
