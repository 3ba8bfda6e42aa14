"""Masks of findings, which may overlap, as one label map: each combination of findings gets a value of its own.

This is the layout that README.md asks for ("Labels for findings"): a region-based nnU-Net dataset in which the sidecar
says which values belong to which finding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def combine(masks: NDArray[np.bool_]) -> tuple[NDArray[np.uint16], list[tuple[int, ...]]]:
    """Give every combination of findings that occurs a value.

    Args:
        masks: One mask per finding, ``(F, X, Y, Z)``.

    Returns:
        The label map ``(X, Y, Z)`` with values 1, 2, ... without gaps, single findings first, and the values of each
        finding: all that hold it, none for an empty mask.
    """
    anywhere = masks.any(axis=0)
    label = np.zeros(anywhere.shape, np.uint16)
    columns = masks[:, anywhere].T  # (voxels, F)
    found, index = np.unique(np.packbits(columns, axis=1), axis=0, return_inverse=True)
    held = [tuple(np.flatnonzero(row).tolist()) for row in np.unpackbits(found, axis=1, count=len(masks))]
    order = sorted(range(len(held)), key=lambda i: (len(held[i]), held[i]))
    value_of = np.empty(len(held), np.uint16)
    value_of[order] = np.arange(1, len(held) + 1)
    label[anywhere] = value_of[index.ravel()]
    values = [
        tuple(sorted(int(value_of[i]) for i, findings in enumerate(held) if finding in findings))
        for finding in range(len(masks))
    ]
    return label, values
