"""How many voxels two masks share, the Dice of it, and what it says about the case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Status = Literal["both_empty", "false_positive", "missed", "overlap"]
STATUSES: tuple[Status, ...] = ("overlap", "missed", "false_positive", "both_empty")


@dataclass(frozen=True)
class Overlap:
    """Voxel counts of a reference and a prediction.

    Attributes:
        n_ref: Voxels in the reference.
        n_pred: Voxels in the prediction.
        n_overlap: Voxels in both.
    """

    n_ref: int
    n_pred: int
    n_overlap: int

    @classmethod
    def of(cls, prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Overlap:
        """Count; both masks have the same shape."""
        return cls(int(reference.sum()), int(prediction.sum()), int((reference & prediction).sum()))

    @property
    def dice(self) -> float:
        """Dice coefficient; 1 where both masks are empty."""
        total = self.n_ref + self.n_pred
        return 2 * self.n_overlap / total if total else 1.0

    @property
    def status(self) -> Status:
        """What happened.

        ``overlap`` (both have voxels in common), ``missed`` (no voxel of the reference was found, whatever was
        predicted elsewhere), ``false_positive`` (the reference is empty, the prediction is not), ``both_empty``.
        """
        if self.n_overlap:
            return "overlap"
        if self.n_ref:
            return "missed"
        return "false_positive" if self.n_pred else "both_empty"
