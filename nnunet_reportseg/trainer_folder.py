"""Where the folder lies that nnU-Net has to search for our trainers (``nnUNet_extTrainer``).

A checkout keeps it as ``trainers/`` beside the packages; an installation maps it to ``nnunet_reportseg/trainers``, so
that ``site-packages`` gets no top-level package of that name. nnU-Net executes every module in the folder, which is
why it must never be the repository's root.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import io
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from nnunet_reportseg.errors import DatasetError, PathsError

SEARCH_PATH = "nnUNet_extTrainer"


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


def trainer_names(folder: Path) -> list[str]:
    """Return the trainers that the modules of a folder define or re-export, found without importing them."""
    names: set[str] = set()
    for module in folder.rglob("*.py"):
        statements: list[ast.stmt] = []
        with contextlib.suppress(SyntaxError):  # a module that cannot be read has no trainer to offer
            statements = ast.parse(module.read_text(encoding="utf-8")).body
        for statement in statements:
            if isinstance(statement, ast.ImportFrom):
                names.update(alias.asname or alias.name for alias in statement.names)
            elif isinstance(statement, ast.ClassDef):
                names.add(statement.name)
    return sorted(name for name in names if "Trainer" in name)


def load_lazy_modules() -> None:
    """Let all modules that load others when they are looked at do so now.

    nnU-Net's search for a trainer looks at file and path of each module while it iterates over sys.modules
    (nnunetv2 2.8 utilities/find_class_by_name.py temporarily_cleanup_imports_from_path): one that then imports another
    ends the search with "dictionary changed size during iteration", as the aliases of transformers (5.17, 5.20) do.
    """
    known = 0
    while known < len(sys.modules):
        known = len(sys.modules)
        for module in list(sys.modules.values()):
            with contextlib.suppress(Exception):  # what cannot be loaded is not what is searched for
                getattr(module, "__file__", None) or getattr(module, "__path__", None)


def require_trainer(name: str) -> type[Any]:
    """Return a trainer by its name, as nnU-Net finds it.

    Raises:
        DatasetError: there is none of this name; lists what there is.
    """
    import nnunetv2
    from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name

    load_lazy_modules()
    try:
        # nnU-Net prints where it looks, and imports what warns of its own future: both read like failures
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            found: type[Any] = recursive_find_trainer_class_by_name(name)
    except (RuntimeError, AssertionError, TypeError) as error:  # not found, no trainer, no class
        search_path = os.environ.get(SEARCH_PATH, "")
        external = [n for folder in search_path.split(os.pathsep) if folder for n in trainer_names(Path(folder))]
        own = trainer_names(Path(nnunetv2.__path__[0]) / "training" / "nnUNetTrainer")
        similar = difflib.get_close_matches(name, [*external, *own], n=1)
        raise DatasetError.about(
            f"no such trainer; there is {', '.join(external) or 'none'} in {SEARCH_PATH} ({search_path}), and "
            f"nnUNetTrainer with its {len(own) - 1} variants",
            value=name,
            fix=f"choose -tr {similar[0] if similar else 'ReportGuidedTrainer'}",
        ) from error
    return found
