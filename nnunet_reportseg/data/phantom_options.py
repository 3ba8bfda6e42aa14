"""Checks the options that only the phantom has."""

from __future__ import annotations

from nnunet_reportseg.data.phantom_task import PhantomTask
from nnunet_reportseg.errors import DatasetError

SITE_LESIONS = (2, 4)
TWO_LESIONS = (2, 2)


def read_task(task: str) -> PhantomTask:
    """The task of this name.

    Raises:
        DatasetError: There is none.
    """
    try:
        return PhantomTask(task)
    except ValueError as error:
        names = ", ".join(known.value for known in PhantomTask)
        raise DatasetError.about("unknown task of the phantom", value=task, fix=f"choose one of {names}") from error


def lesion_range(task: PhantomTask, lesions: tuple[int, int] | None) -> tuple[int, int]:
    """Fewest and most lesions of a volume; of the task "findings" occupied sites.

    Raises:
        DatasetError: The task has two lesions and another number was asked for.
    """
    if task in (PhantomTask.SITE, PhantomTask.FINDINGS):
        return SITE_LESIONS if lesions is None else lesions
    if lesions not in (None, TWO_LESIONS):
        raise DatasetError.about(
            f"the task '{task.value}' has exactly two lesions per volume",
            value=lesions,
            fix="leave --lesions out, or choose the task 'site' or 'findings'",
        )
    return TWO_LESIONS


def require_margin(margin: tuple[int, int, int] | None) -> None:
    """Make sure that a clear margin is one.

    Raises:
        DatasetError: It is negative.
    """
    if margin is not None and min(margin) < 0:
        raise DatasetError.about(
            "the clear margin is negative", value=margin, fix="give three numbers of voxels (z y x), or leave it out"
        )
