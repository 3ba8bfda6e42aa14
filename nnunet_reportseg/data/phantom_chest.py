"""The roomy chest: mirror-symmetric but for heart and liver, with lungs so large that a small patch sees no border.

Axes and organs are those of :mod:`phantom_anatomy`. We deviate for room: organs are superellipsoids, which fill their
box better than ellipsoids, and the patient's midline lies on a voxel or between two, so that mirroring about it moves
whole voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data.phantom_anatomy import AIR_HU, FAT_HU, HEART_HU, LUNG_HU, SPINE_HU, TISSUE_HU, Anatomy
from nnunet_reportseg.data.sites import SITES, Side

LIVER_HU = 110.0
SHIFT, SCALE = 0.02, 0.02  # of the half extent; largest, in either direction
LUNG_POWER, BODY_POWER = 8, 6


@dataclass(frozen=True)
class Patient:
    """What varies from patient to patient; the default is the patient with the least room.

    Attributes:
        shift_x: Place of the midline in half voxels to the left of the middle of the volume.
        shift_y: In parts of the half extent.
        scale: Of the body (z, y, x).
        heart: Radius of the heart across, in parts of the half extent.
    """

    shift_x: int = 0
    shift_y: float = 0.0
    scale: tuple[float, float, float] = (1 - SCALE, 1 - SCALE, 1 - SCALE)
    heart: float = 0.18


@dataclass(frozen=True)
class Chest(Anatomy):
    """A roomy chest.

    Attributes:
        mirror: The voxel at x has its mirror image at ``mirror - x``.
    """

    mirror: int


def draw_patient(shape: tuple[int, int, int], rng: np.random.Generator) -> Patient:
    """Draw one patient for a volume of this shape (z, y, x)."""
    most = int(SHIFT * shape[2])
    z, y, x = rng.uniform(1 - SCALE, 1 + SCALE, size=3)
    return Patient(
        int(rng.integers(-most, most + 1)),
        float(rng.uniform(-SHIFT, SHIFT)),
        (float(z), float(y), float(x)),
        float(rng.uniform(0.15, 0.18)),
    )


def build_chest(shape: tuple[int, int, int], patient: Patient) -> Chest:
    """The chest of a patient.

    Args:
        shape: Array shape (z, y, x).
        patient: The patient.
    """
    mirror = shape[2] - 1 + patient.shift_x
    coordinates = [
        (np.arange(shape[0]) * 2 - (shape[0] - 1)) / shape[0],
        (np.arange(shape[1]) * 2 - (shape[1] - 1)) / shape[1] - patient.shift_y,
        (np.arange(shape[2]) * 2 - mirror) / shape[2],
    ]
    scaled = [axis / scale for axis, scale in zip(coordinates, patient.scale, strict=True)]
    z, y, x = np.meshgrid(*scaled, indexing="ij", sparse=True)

    def organ(
        power: int, centre: tuple[float, float, float], radius: tuple[float, float, float], *, paired: bool = False
    ) -> np.ndarray:
        axes = (z, y, abs(x) if paired else x)
        parts = ((axis - c) / r for axis, c, r in zip(axes, centre, radius, strict=True))
        return np.broadcast_to(sum(part**power for part in parts) < 1, shape)

    tall = 1e6
    heart = organ(2, (-0.42, -0.36, 0.07), (0.45, 0.34, patient.heart))
    liver = organ(4, (-1.10, -0.02, -0.46), (0.40, 0.74, 0.46))
    spine = organ(2, (0, 0.72, 0), (tall, 0.16, 0.09))
    both = organ(LUNG_POWER, (0.04, -0.06, 0.49), (0.92, 0.76, 0.425), paired=True) & ~(heart | liver | spine)
    lungs: dict[Side, np.ndarray] = {"left": both & (x > 0), "right": both & (x < 0)}
    hu = np.full(shape, AIR_HU, dtype=np.float32)
    hu[organ(BODY_POWER, (0, 0, 0), (tall, 0.97, 0.98))] = FAT_HU
    hu[organ(BODY_POWER, (0, 0, 0), (tall, 0.90, 0.95))] = TISSUE_HU
    hu[both] = LUNG_HU
    hu[liver] = LIVER_HU
    hu[heart & ~liver] = HEART_HU
    hu[spine] = SPINE_HU
    levels = {"upper": np.broadcast_to(z > 0, shape), "lower": np.broadcast_to(z < 0, shape)}
    return Chest(hu, {site: lungs[site.side] & levels[site.level] for site in SITES}, mirror)
