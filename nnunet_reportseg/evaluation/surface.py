"""Distances between the surfaces of two masks, in mm: normalised surface Dice and the 95th percentile.

A surface voxel is a voxel of the mask with a face on the outside; what lies beyond the image is outside. Normalised
surface Dice (Nikolov et al. 2018, arXiv 1809.04430) counts surface voxels here and not areas of a mesh, as do Metrics
Reloaded (Maier-Hein, Reinke et al. 2024, doi 10.1038/s41592-023-02151-z) and, by default, MONAI. HD95 is the larger of
the 95th percentiles of the two directions. Nearest voxels come from `scipy.spatial.KDTree`: MONAI's surface metrics
compute in single precision, MedPy is under the GPL, and surface-distance and seg-metrics had no release since 2024.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from nnunet_reportseg.evaluation.mask_pair import MaskPair

ROUNDING_MM = 1e-6  # NIfTI keeps spacings in single precision: a distance of 1 mm may read as 1.00000002


@dataclass(frozen=True)
class SurfaceDistances:
    """From each surface voxel of one mask to the nearest one of the other, in mm; empty where a mask is empty.

    Attributes:
        from_prediction: One for each surface voxel of the prediction.
        from_reference: One for each surface voxel of the reference.
    """

    from_prediction: NDArray[np.float64]
    from_reference: NDArray[np.float64]

    @classmethod
    def of(cls, pair: MaskPair) -> SurfaceDistances:
        """Measure."""
        if not pair.prediction.any() or not pair.reference.any():
            return cls(np.zeros(0), np.zeros(0))
        prediction, reference = (_surface(mask, pair.flat) for mask in (pair.prediction, pair.reference))
        return cls(_nearest(prediction, reference, pair.spacing), _nearest(reference, prediction, pair.spacing))

    def surface_dice(self, tolerance: float) -> float | None:
        """Part of all surface voxels that lie within a tolerance in mm of the other surface; None without surfaces."""
        together = np.concatenate((self.from_prediction, self.from_reference))
        return float(np.mean(together <= tolerance + ROUNDING_MM)) if together.size else None

    @property
    def hd95(self) -> float | None:
        """The larger 95th percentile of the two directions, interpolated linearly; None without surfaces."""
        if not self.from_prediction.size:
            return None
        return float(max(np.percentile(self.from_prediction, 95), np.percentile(self.from_reference, 95)))


def _surface(mask: NDArray[np.bool_], flat: tuple[bool, ...]) -> NDArray[np.int64]:
    """Indices of the surface voxels, ``(N, 3)``."""
    faces = ndimage.generate_binary_structure(3, 1)
    for axis, single in enumerate(flat):
        if single:
            faces = faces & np.expand_dims(np.array([False, True, False]), [a for a in range(3) if a != axis])
    return np.argwhere(mask & ~ndimage.binary_erosion(mask, faces))


def _nearest(points: NDArray[np.int64], others: NDArray[np.int64], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Distance of each point to the nearest of the others; from whole steps, so that it depends on no position."""
    _, nearest = KDTree(others * spacing).query(points * spacing)
    return np.sqrt((((points - others[nearest]) * spacing) ** 2).sum(axis=1))
