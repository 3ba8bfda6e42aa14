"""Reading nnU-Net's checkpoints: a damaged file is refused by name, not by a traceback of torch."""

from __future__ import annotations

import pickle
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from nnunet_reportseg.errors import ModelMismatchError

_ALL = ("network_weights", "trainer_name", "init_args")


def read_checkpoint(file: Path, *, needed: Sequence[str] = _ALL) -> dict[str, Any]:
    """Read a checkpoint without copying its weights into memory.

    Args:
        file: the checkpoint.
        needed: entries that it must have; weights from elsewhere need not have all of nnU-Net's.

    Raises:
        ModelMismatchError: the file is missing, damaged or lacks an entry.
    """
    fix = "copy the file again from where it was trained, or name another one"
    if not file.is_file():
        raise ModelMismatchError.about("there is no such checkpoint", file=file, fix=fix)
    try:
        checkpoint = torch.load(file, map_location="cpu", weights_only=False, mmap=True)
    except (RuntimeError, OSError, EOFError, ValueError, pickle.UnpicklingError) as error:
        reason = textwrap.shorten(str(error), 200, placeholder=" ...") or type(error).__name__
        raise ModelMismatchError.about(f"the checkpoint is damaged ({reason})", file=file, fix=fix) from error
    missing = [name for name in needed if not isinstance(checkpoint, dict) or name not in checkpoint]
    if missing:
        raise ModelMismatchError.about(f"this is no checkpoint of nnU-Net, it lacks {missing[0]}", file=file, fix=fix)
    return dict(checkpoint)
