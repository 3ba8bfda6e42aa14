"""The demo's own nnU-Net folders, and quiet around nnU-Net's printing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nnunet_reportseg.errors import PathsError
from nnunet_reportseg.paths import PREPROCESSED, RAW, RESULTS
from nnunet_reportseg.trainer_folder import trainer_dir

WORK = "nnunet"
OWN_FILES = ("results.json", "overview.png", "demo.log", "run.log")
_MARKER = ".reportseg-demo"


def prepare_workspace(out: Path, *, overwrite: bool) -> Path:
    """Make the demo's folder, with empty nnU-Net folders of its own.

    Args:
        out: result folder of the demo.
        overwrite: whether to start again in a folder that an earlier demo left.

    Returns:
        ``out/nnunet``.

    Raises:
        PathsError: ``out`` holds something else, or an earlier demo and ``overwrite`` is False.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / _MARKER).is_file())):
        raise PathsError.about("the folder holds other files", file=out, fix="choose an empty folder for --out")
    if (out / _MARKER).is_file():
        if not overwrite:
            raise PathsError.about("an earlier demo is here", file=out, fix="add --overwrite or choose another --out")
        for name in OWN_FILES:
            (out / name).unlink(missing_ok=True)
        shutil.rmtree(out / WORK, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARKER).touch()
    work = out / WORK
    for name in (RAW, PREPROCESSED, RESULTS):
        (work / name).mkdir(parents=True)
    return work


def use_workspace(work: Path, processes: int) -> None:
    """Point nnU-Net to the workspace; before nnunetv2 is imported, which reads some of the variables then."""
    for name in (RAW, PREPROCESSED, RESULTS):
        os.environ[name] = str(work / name)
    os.environ["nnUNet_extTrainer"] = str(trainer_dir())
    os.environ["nnUNet_n_proc_DA"] = str(processes)
    os.environ["nnUNet_def_n_proc"] = str(processes)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads must not take the cores of augmentation workers
    os.environ["nnUNet_compile"] = "f"  # compiling takes longer than the demo


@contextmanager
def output_to(log: Path) -> Iterator[IO[str]]:
    """Send everything that this process and its children print to a file.

    Args:
        log: the file.

    Yields:
        A stream to the terminal, for the demo's own display.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    with log.open("w", encoding="utf-8") as stream, os.fdopen(os.dup(saved[0]), "w", encoding="utf-8") as terminal:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in zip((1, 2), saved, strict=True):
                os.dup2(descriptor, number)
                os.close(descriptor)
