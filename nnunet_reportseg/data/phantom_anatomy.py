"""A chest-like CT volume in pure NumPy: body, fat, two lungs, heart left of the midline, spine behind it.

Axes are those of an identity direction in LPS: index z grows to superior, y to posterior, x to the patient's left.
Organs are ellipsoids in units of the half extent of the volume, so the anatomy fits any shape and spacing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data.sites import SITES, Side, Site

AIR_HU, FAT_HU, TISSUE_HU, LUNG_HU, HEART_HU, SPINE_HU = -1000.0, -100.0, 40.0, -850.0, 50.0, 300.0
NOISE_HU = 20.0


@dataclass(frozen=True)
class Anatomy:
    """Noise-free anatomy.

    Attributes:
        hu: Array (z, y, x) of float32, in HU.
        site_masks: For each site, the boolean array of its lung voxels.
    """

    hu: np.ndarray
    site_masks: dict[Site, np.ndarray]


def draw_anatomy(shape: tuple[int, int, int], rng: np.random.Generator) -> Anatomy:
    """Draw one patient: sizes and positions vary by a few percent.

    Args:
        shape: Array shape (z, y, x).
        rng: Source of the patient's variation.
    """
    z, y, x = np.meshgrid(*[(np.arange(n) + 0.5) * 2 / n - 1 for n in shape], indexing="ij", sparse=True)
    dy, dx = rng.uniform(-0.05, 0.05, size=2)
    width, depth, height = rng.uniform(0.95, 1.05, size=3)
    z, y, x = z / height, (y - dy) / depth, (x - dx) / width

    def ellipsoid(centre: tuple[float, float, float], radius: tuple[float, float, float]) -> np.ndarray:
        parts = ((axis - c) / r for axis, c, r in zip((z, y, x), centre, radius, strict=True))
        return np.broadcast_to(sum(part**2 for part in parts) < 1, shape)

    tall = 1e6
    heart = ellipsoid((-0.35, -0.20, 0.12), (0.42, 0.27, rng.uniform(0.24, 0.30)))
    lungs: dict[Side, np.ndarray] = {
        "left": ellipsoid((0.0, -0.02, 0.41), (0.93, 0.47, 0.33)) & ~heart,
        "right": ellipsoid((0.0, -0.02, -0.41), (0.93, 0.47, 0.33)) & ~heart,
    }
    hu = np.full(shape, AIR_HU, dtype=np.float32)
    hu[ellipsoid((0, 0, 0), (tall, 0.70, 0.90))] = FAT_HU
    hu[ellipsoid((0, 0, 0), (tall, 0.62, 0.82))] = TISSUE_HU
    hu[lungs["left"] | lungs["right"]] = LUNG_HU
    hu[heart] = HEART_HU
    hu[ellipsoid((0, 0.44, 0), (tall, 0.11, 0.10))] = SPINE_HU
    levels = {"upper": np.broadcast_to(z > 0, shape), "lower": np.broadcast_to(z < 0, shape)}
    return Anatomy(hu=hu, site_masks={site: lungs[site.side] & levels[site.level] for site in SITES})
