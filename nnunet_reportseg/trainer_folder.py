"""Where the folder lies that nnU-Net has to search for our trainers (``nnUNet_extTrainer``).

A checkout keeps it as ``trainers/`` beside the packages; an installation maps it to ``nnunet_reportseg/trainers``, so
that ``site-packages`` gets no top-level package of that name. nnU-Net executes every module in the folder, which is
why it must never be the repository's root.
"""

from __future__ import annotations

import os
from pathlib import Path

from nnunet_reportseg.errors import PathsError


def trainer_dir() -> Path:
    """Return the folder with the trainers, installed or in a checkout.

    Raises:
        PathsError: Neither place has it, so the installation is damaged.
    """
    package = Path(__file__).resolve().parent
    candidates = (package / "trainers", package.parent / "trainers")
    for folder in candidates:
        if (folder / "__init__.py").is_file():
            return folder
    raise PathsError.about(
        "the folder with the trainers is missing",
        file=candidates[0],
        fix="reinstall: pip install --force-reinstall --no-deps nnunet-reportseg",
    )


def trainer_search_path(current: str) -> str:
    """Return the value of ``nnUNet_extTrainer`` that also names our folder.

    Args:
        current: The value it has; its entries stay in front.
    """
    entries = [entry for entry in current.split(os.pathsep) if entry.strip()]
    return os.pathsep.join(dict.fromkeys([*entries, str(trainer_dir())]))
