"""Whether a shape has room for the lesions of a task with their clear margin, and which shape would have.

Asked of the patient with the least room, before anything is written.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from nnunet_reportseg.data.phantom_chest import Patient, build_chest, draw_patient
from nnunet_reportseg.data.phantom_lesions import MORE_ROOM, LesionKernel
from nnunet_reportseg.data.phantom_overlap import OPACITY_RADIUS, occupants
from nnunet_reportseg.data.phantom_places import NoRoomError, place_at_sites, place_mirrored
from nnunet_reportseg.data.phantom_task import PhantomTask
from nnunet_reportseg.data.phantom_volumes import LARGE, MIRRORED_TASKS, SMALL, VolumePlan
from nnunet_reportseg.data.sites import Side, Site
from nnunet_reportseg.errors import DatasetError

LARGEST_SEARCHED = 2**23  # voxels; the search takes seconds up to here
GROWTH, COARSE = 1.05, 40
PATIENTS_TRIED = 20
LARGEST: Mapping[PhantomTask, float] = {PhantomTask.SIZE: LARGE[1], PhantomTask.FINDINGS: OPACITY_RADIUS}
SIDES: tuple[Side, ...] = ("left", "right")

Volume = TypeVar("Volume")


def require_room(plan: VolumePlan) -> None:
    """Make sure that every lesion finds a place.

    Raises:
        DatasetError: The shape has no room; with a clear margin the message names a shape that has.
    """
    if plan.margin is None:
        plan.kernel(LARGEST.get(plan.task, 1.0))  # refuses quickly what no chest can hold
    if not has_room(plan):
        raise no_room(plan)


def draw_with_room(plan: VolumePlan, draw: Callable[[Patient], Volume], rng: np.random.Generator) -> Volume:
    """A volume of a patient who has room; in a tight shape a few have none, by the rounding to voxels.

    Raises:
        DatasetError: None of some patients has.
    """
    for _ in range(PATIENTS_TRIED):
        try:
            return draw(draw_patient(plan.shape, rng))
        except NoRoomError:
            continue
    raise no_room(plan)


def no_room(plan: VolumePlan) -> DatasetError:
    """The refusal of a shape."""
    if plan.margin is None:
        return DatasetError.about(
            "no room for the lesions in the lungs of the phantom", value=plan.shape, fix=MORE_ROOM
        )
    shape = smallest_shape(plan)
    room = "" if shape is None else f"--shape {shape[0]} {shape[1]} {shape[2]} or more, or "
    return DatasetError.about(
        f"no room for lesions with a clear margin of {plan.margin} voxels in the lungs of the phantom",
        value=plan.shape,
        fix=f"choose {room}a smaller --clear-margin",
    )


def has_room(plan: VolumePlan) -> bool:
    """Whether the lesions of the task find a place in the smallest patient, wherever the midline lies."""
    try:
        for shift in (0, 1):
            _place_all(plan, Patient(shift_x=shift))
    except (NoRoomError, DatasetError):
        return False
    return True


def smallest_shape(plan: VolumePlan) -> tuple[int, int, int] | None:
    """A shape (z, y, x) that has room and of which no axis can be shortened by itself; None where it gets too large.

    The search starts from too small a shape, lengthens all axes in proportion and then shortens them in turns: other
    shapes may have room with slightly fewer voxels.
    """
    if plan.margin is None:
        return None
    z, y, x = (2 * (reach + 3) for reach in plan.margin)
    shape = (z, y, 2 * x)
    while math.prod(shape) <= LARGEST_SEARCHED and not has_room(replace(plan, shape=shape)):
        shape = (math.ceil(shape[0] * GROWTH), math.ceil(shape[1] * GROWTH), math.ceil(shape[2] * GROWTH))
    if math.prod(shape) > LARGEST_SEARCHED:
        return None
    axes = [0, 1, 2]
    while axes:
        axis = axes.pop(0)
        shorter = _with(shape, axis, shape[axis] - max(1, shape[axis] // COARSE))
        if has_room(replace(plan, shape=shorter)):
            shape = shorter
            axes.append(axis)
    return shape


def _with(shape: tuple[int, int, int], axis: int, length: int) -> tuple[int, int, int]:
    z, y, x = (length if i == axis else n for i, n in enumerate(shape))
    return z, y, x


def _place_all(plan: VolumePlan, patient: Patient) -> None:
    chest = build_chest(plan.shape, patient)
    rng = np.random.default_rng(0)
    if plan.task in MIRRORED_TASKS:
        place_mirrored(chest, plan.kernel(), plan.margin, rng)
        return
    for side, pair in itertools.product(SIDES, _pairs(plan)):
        place_at_sites(chest, [Site(side, "upper"), Site(side, "lower")], pair, plan.margin, rng, whole=plan.whole)


def _pairs(plan: VolumePlan) -> list[tuple[LesionKernel, LesionKernel]]:
    """What the two sites of a lung have to hold: of all that may lie there, what needs most room."""
    if plan.task is PhantomTask.SIZE:
        small, large = (plan.kernel(span[1]) for span in (SMALL, LARGE))
        return [(small, large), (large, small)]
    if plan.task is PhantomTask.FINDINGS:
        return [(occupants(plan).room, occupants(plan).room)]
    return [(plan.kernel(), plan.kernel())]
