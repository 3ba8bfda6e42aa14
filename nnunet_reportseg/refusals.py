"""What a user can put right ends a command with its message and exit code 2, in nnU-Net's own commands too.

nnUNetv2_train and nnUNetv2_predict know nothing of the project's errors; what reaches the end of their process would
show a traceback and exit code 1. Python asks ``sys.excepthook`` what to do with such an error, and takes the exit code
of a SystemExit that the hook raises (CPython, Python/pythonrun.c, _PyErr_PrintEx).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from nnunet_reportseg.errors import ReportSegError
from text_conditioning.errors import TextConditioningError

REFUSALS = (ReportSegError, TextConditioningError)


def refuse(message: object, cause: BaseException) -> NoReturn:
    """End the command.

    Args:
        message: for stderr.
        cause: the error behind it.

    Raises:
        SystemExit: always, with exit code 2.
    """
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(2) from cause


def refuse_in_nnunet_commands() -> None:
    """Make nnU-Net's commands end like ours; a second call, or one in any other program, does nothing."""
    hook = sys.excepthook
    if not Path(sys.argv[0]).name.startswith("nnUNetv2_") or getattr(hook, "func", None) is _refuse_uncaught:
        return
    sys.excepthook = partial(_refuse_uncaught, hook)


def _refuse_uncaught(
    usual: Callable[[type[BaseException], BaseException, TracebackType | None], object],
    kind: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    if isinstance(error, REFUSALS):
        refuse(error, error)
    usual(kind, error, traceback)
