"""``reportseg env``: the line that lets nnU-Net find our trainers."""

from __future__ import annotations

import os
import shlex
import sys

VARIABLE = "nnUNet_extTrainer"


def command() -> None:
    r"""Print the shell line that lets nnU-Net find the trainers.

    Use it as: eval "$(reportseg env)". Folders that the variable already names stay in it.
    """
    from nnunet_reportseg.paths import unset_paths
    from nnunet_reportseg.trainer_folder import trainer_dir

    print(f"export {VARIABLE}={shlex.quote(_with_folder(os.environ.get(VARIABLE, ''), str(trainer_dir())))}")
    for problem in unset_paths():
        print(f"warning: {problem}", file=sys.stderr)


def _with_folder(current: str, folder: str) -> str:
    entries = [entry for entry in current.split(os.pathsep) if entry.strip()]
    return os.pathsep.join(dict.fromkeys([*entries, folder]))
