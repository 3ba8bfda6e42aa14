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
    from nnunet_reportseg.trainer_folder import trainer_search_path

    print(f"export {VARIABLE}={shlex.quote(trainer_search_path(os.environ.get(VARIABLE, '')))}")
    for problem in unset_paths():
        print(f"warning: {problem}", file=sys.stderr)
