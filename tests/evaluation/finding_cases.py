"""Random pairs of masks with the hard cases among them: ``(name, prediction, reference, spacing)``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

Pair = tuple[str, np.ndarray, np.ndarray, tuple[float, float, float]]
SPACINGS = [(1.0, 1.0, 1.0), (5.0, 0.7, 0.7), (0.6, 0.8, 2.5), (1.00000002, 0.33, 3.7)]
CASES = 200


def _noise(rng: np.random.Generator, shape: tuple[int, ...], part: float, smooth: float) -> np.ndarray:
    values = ndimage.gaussian_filter(rng.normal(size=shape), smooth)
    return values > np.quantile(values, 1 - part)


def _bars(count: int, length: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """Bars along x that touch nowhere, of one length or of random ones around it."""
    side = int(np.ceil(np.sqrt(count)))
    mask = np.zeros((2 * side, 2 * side, length + 4), dtype=bool)
    for bar in range(count):
        extra = 0 if rng is None else int(rng.integers(-1, 4))
        mask[2 * (bar // side), 2 * (bar % side), : length + extra] = True
    return mask


def _hard() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    shape = (4, 5, 6)
    empty, full = np.zeros(shape, dtype=bool), np.ones(shape, dtype=bool)
    one = empty.copy()
    one[1, 2, 3] = True
    yield from (("both empty", empty, empty), ("both full", full, full), ("full and empty", full, empty))
    yield from (("empty and full", empty, full), ("one voxel and full", one, full), ("one voxel", one, one))
    row = np.zeros((3, 3, 14), dtype=bool)
    for length in (9, 10, 11):
        exact = row.copy()
        exact[1, 1, :length] = True
        yield (f"{length} voxels", exact, exact)
    for name, offset in (("face", (0, 0)), ("edge", (0, 1)), ("corner", (1, 1))):
        touching = np.zeros((4, 4, 20), dtype=bool)
        touching[0, 0, :10] = True
        touching[offset[0], offset[1], 10:] = True
        yield (f"touching at a {name}", touching, touching)
    # One predicted instance between two of the reference, the same Dice with both; and the other way round.
    two = np.zeros((1, 6, 30), dtype=bool)
    two[0, 0, :12] = two[0, 0, 14:26] = True
    bridge = np.zeros_like(two)
    bridge[0, 0, 6:20] = True
    yield from (("tie of references", bridge, two), ("tie of predictions", two, bridge))
    # The best pair takes the only partner of the second best: greedy finds one match, an optimal assignment two.
    chain_ref, chain_pred = np.zeros((1, 3, 60), dtype=bool), np.zeros((1, 3, 60), dtype=bool)
    chain_ref[0, 0, 0:20] = chain_ref[0, 0, 22:34] = True
    chain_pred[0, 0, 10:30] = chain_pred[0, 0, 32:52] = True
    yield ("chain", chain_pred, chain_ref)
    tenth_ref, tenth = np.zeros((1, 1, 200), dtype=bool), np.zeros((1, 1, 200), dtype=bool)
    tenth_ref[0, 0, :50], tenth[0, 0, 45:95] = True, True
    yield ("Dice of exactly 0.1", tenth, tenth_ref)
    fifth = np.zeros_like(tenth)
    fifth[0, 0, 40:90] = True
    yield ("Dice of exactly 0.2", fifth, tenth_ref)
    rng = np.random.default_rng(7)
    yield ("more than 50 of equal size", _bars(53, 10), _bars(53, 10)[::-1, ::-1])
    yield ("more than 50 of many sizes", _bars(60, 10, rng), _bars(60, 10, rng))
    flat = np.zeros((1, 7, 7), dtype=bool)
    flat[0, 1:6, 1:6] = True
    yield ("two dimensions", np.roll(flat, 1, 2), flat)


def pairs() -> Iterator[Pair]:
    """Exactly `CASES` pairs, always the same."""
    rng = np.random.default_rng(0)
    hard = list(_hard())
    for k in range(CASES):
        spacing = SPACINGS[k % len(SPACINGS)]
        if k < len(hard):
            yield (*hard[k], spacing)
            continue
        shape = tuple(int(size) for size in rng.integers((3, 5, 8), (6, 9, 14)))
        reference = _noise(rng, shape, rng.choice([0.0, 0.1, 0.2, 0.4]), rng.choice([0.0, 0.8, 1.2]))
        if rng.random() < 0.5:
            prediction = np.roll(reference, int(rng.integers(0, 3)), int(rng.integers(3))) ^ _noise(rng, shape, 0.05, 0)
        else:
            prediction = _noise(rng, shape, rng.choice([0.0, 0.1, 0.2, 0.4]), rng.choice([0.0, 0.8, 1.2]))
        yield (f"random {k}", prediction, reference, spacing)
