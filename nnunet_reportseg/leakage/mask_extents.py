"""Lengths that a program would take from a mask, in mm.

A length in a report that was written from the mask is one of these: the largest diameter in 3D (Feret), the longest
diameter in an axial slice, the longest side of the box around it, or the diameter of a ball of the same volume. The
first three are taken both ways, between centres of voxels and between their outer edges. Diameters are distances of
vertices of the convex hull (`scipy.spatial.ConvexHull`, `pdist`): SimpleITK's `ComputeFeretDiameterOn` compares all
voxels of the border with each other (14 s for a ball with a radius of 60 voxels; all of this takes 0.6 s), and knows 3D
and centres only.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

CENTRES, EDGES = "between centres of voxels", "between outer edges"
DIAMETER, AXIAL, SIDE, BALL = (
    "largest diameter in 3D",
    "longest axial diameter",
    "longest side of the box",
    "diameter of a ball of the same volume",
)


def mask_lengths(mask: NDArray[np.bool_], spacing: Sequence[float], axial: int) -> dict[str, float]:
    """Measure one component of a mask.

    Args:
        mask: ``(D, H, W)``, with at least one voxel.
        spacing: In mm, in the order of the axes.
        axial: The axis that runs along the patient; slices across it are axial.

    Returns:
        Lengths in mm by name.
    """
    steps = np.asarray(spacing, dtype=np.float64)
    found = np.nonzero(mask)
    between = np.array([int(places.max() - places.min()) for places in found])
    slices = np.moveaxis(mask, axial, 0)
    in_slices = [_feret(part, np.delete(steps, axial)) for part in slices[slices.any(axis=(1, 2))]]
    volume = found[0].size * float(np.prod(steps))
    centres, edges = _feret(mask, steps)
    lengths = {
        (DIAMETER, CENTRES): centres,
        (DIAMETER, EDGES): edges,
        (AXIAL, CENTRES): max(length for length, _ in in_slices),
        (AXIAL, EDGES): max(length for _, length in in_slices),
        (SIDE, CENTRES): float((between * steps).max()),
        (SIDE, EDGES): float(((between + 1) * steps).max()),
    }
    return {f"{name}, {how}": length for (name, how), length in lengths.items()} | {
        BALL: (6 * volume / np.pi) ** (1 / 3)
    }


def _feret(mask: NDArray[np.bool_], spacing: NDArray[np.float64]) -> tuple[float, float]:
    """Largest distance of two centres and of two outer corners, in any number of dimensions.

    The hull of the corners is never flat, and each vertex of the hull of the centres has a corner among its vertices.
    """
    centres, corners = _outermost(mask)
    vertices = ConvexHull(corners * spacing).vertices
    parents = np.unique(centres[vertices], axis=0)
    across = pdist(parents * spacing)
    return (float(across.max()) if across.size else 0.0), float(pdist(corners[vertices] * spacing).max())


def _outermost(mask: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each row along the last axis the first and the last voxel: centres and, beside each, an outer corner."""
    rows = np.argwhere(mask.any(axis=-1))
    lines = mask[tuple(rows.T)]
    first, last = lines.argmax(axis=-1), mask.shape[-1] - 1 - lines[:, ::-1].argmax(axis=-1)
    centres, corners = [], []
    for places, outwards in ((first, -0.5), (last, 0.5)):
        ends = np.column_stack((rows, places)).astype(np.float64)
        for offset in product((-0.5, 0.5), repeat=mask.ndim - 1):
            centres.append(ends)
            corners.append(ends + np.array((*offset, outwards)))
    return np.concatenate(centres), np.concatenate(corners)
