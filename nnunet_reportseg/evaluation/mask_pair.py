"""A reference and a prediction of the same thing, cut to where either has voxels, with what distances need to be mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.evaluation.overlap import Overlap


@dataclass(frozen=True)
class MaskPair:
    """Two masks on one grid.

    Attributes:
        prediction: ``(D, H, W)``, cut to the common bounding box.
        reference: The same shape.
        spacing: Of a voxel, in mm, in the order of the axes.
        flat: Along which axes the image has a single voxel, and so no surface: a 2D image is ``(1, H, W)``.
    """

    prediction: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    spacing: tuple[float, ...]
    flat: tuple[bool, ...]

    @classmethod
    def of(cls, prediction: NDArray[np.bool_], reference: NDArray[np.bool_], spacing: Sequence[float]) -> MaskPair:
        """Cut two masks of the whole image to their common bounding box; everything outside it is background.

        Raises:
            ValueError: The masks differ in shape, or the spacing has another number of axes.
        """
        if prediction.shape != reference.shape or len(spacing) != prediction.ndim:
            raise ValueError(f"masks of shape {prediction.shape} and {reference.shape}, spacing {tuple(spacing)}")
        box = _bounding_box(prediction | reference)
        flat = tuple(size == 1 for size in prediction.shape)
        return cls(prediction[box], reference[box], tuple(float(size) for size in spacing), flat)

    @property
    def overlap(self) -> Overlap:
        """Voxel counts."""
        return Overlap.of(self.prediction, self.reference)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return float(np.prod(self.spacing)) / 1000


def _bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    box = []
    for axis in range(mask.ndim):
        where = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        box.append(slice(int(where[0]), int(where[-1]) + 1) if where.size else slice(0, 0))
    return tuple(box)
