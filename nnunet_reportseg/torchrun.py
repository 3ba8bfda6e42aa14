"""Processes that ``torchrun`` started: their number, and waiting for one another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch.distributed as dist


@dataclass(frozen=True)
class Processes:
    """This process among those of ``torchrun``.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        local_rank: its number on this machine, from 0: that of its GPU.
    """

    rank: int
    size: int
    local_rank: int

    def wait(self) -> None:
        """Return when all processes have called this."""
        dist.barrier()


@contextmanager
def torchrun_processes() -> Iterator[Processes | None]:
    """The processes of ``torchrun`` for the time of the block; None where it did not start this one."""
    if not dist.is_available() or not dist.is_torchelastic_launched():
        yield None
        return
    dist.init_process_group("gloo")  # they only wait for one another
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), int(os.environ["LOCAL_RANK"]))
    finally:
        dist.destroy_process_group()
