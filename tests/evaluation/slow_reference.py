"""Both protocols for findings once more, slowly: plain Python loops over nested lists of 0 and 1."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

Voxel = tuple[int, int, int]
EDGES = [step for step in itertools.product((-1, 0, 1), repeat=3) if 1 <= sum(map(abs, step)) <= 2]
FACES = [step for step in EDGES if sum(map(abs, step)) == 1]


def voxels(mask: Sequence) -> list[Voxel]:
    """All voxels of a mask, in the order of the array."""
    return [
        (z, y, x) for z, plane in enumerate(mask) for y, row in enumerate(plane) for x, value in enumerate(row) if value
    ]


def shift(voxel: Voxel, step: Voxel) -> Voxel:
    return (voxel[0] + step[0], voxel[1] + step[1], voxel[2] + step[2])


def components(mask: Sequence) -> list[set[Voxel]]:
    """Flood fill from each voxel that was not reached yet."""
    left, found = voxels(mask), []
    reached: set[Voxel] = set()
    inside = set(left)
    for seed in left:
        if seed in reached:
            continue
        component, waiting = {seed}, [seed]
        while waiting:
            voxel = waiting.pop()
            for step in EDGES:
                neighbour = shift(voxel, step)
                if neighbour in inside and neighbour not in component:
                    component.add(neighbour)
                    waiting.append(neighbour)
        reached |= component
        found.append(component)
    return found


def instances(mask: Sequence) -> list[set[Voxel]]:
    """The 50 largest components of at least 10 voxels; sorting keeps the order of equally large ones."""
    large = [component for component in components(mask) if len(component) >= 10]
    return sorted(large, key=lambda component: -len(component))[:50]


def dice(a: set[Voxel], b: set[Voxel]) -> float:
    return 1.0 if not a and not b else 2 * len(a & b) / (len(a) + len(b))


def matches(reference: list[set[Voxel]], prediction: list[set[Voxel]]) -> list[tuple[int, int]]:
    """Look through all pairs again for each match; only a better one replaces the best so far."""
    matched: list[tuple[int, int]] = []
    while True:
        best, pair = 0.0, None
        for r, true in enumerate(reference):
            for p, predicted in enumerate(prediction):
                if any(r == row or p == column for row, column in matched):
                    continue
                value = dice(true, predicted)
                if value >= 0.2 and value > best:
                    best, pair = value, (r, p)
        if pair is None:
            return matched
        matched.append(pair)


def surface(mask: Sequence) -> list[Voxel]:
    """Voxels with a face on the outside; an axis with one voxel has no faces."""
    shape = (len(mask), len(mask[0]), len(mask[0][0]))
    inside = set(voxels(mask))
    faces = [step for step in FACES if all(size > 1 or not part for size, part in zip(shape, step, strict=True))]
    return [voxel for voxel in voxels(mask) if any(shift(voxel, step) not in inside for step in faces)]


def distances(points: list[Voxel], others: list[Voxel], spacing: Sequence[float]) -> list[float]:
    a, b, c = spacing
    return [
        min(
            math.sqrt(((z - other[0]) * a) ** 2 + ((y - other[1]) * b) ** 2 + ((x - other[2]) * c) ** 2)
            for other in others
        )
        for z, y, x in points
    ]


def percentile_95(values: list[float]) -> float:
    ordered = sorted(values)
    at = 0.95 * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def grounding(prediction: Sequence, reference: Sequence) -> dict[str, float]:
    true, predicted = instances(reference), instances(prediction)
    value = dice(set(voxels(reference)), set(voxels(prediction)))
    return {
        "dice": value,
        "hit": 1 if value >= 0.1 else 0,
        "n_ref": len(voxels(reference)),
        "n_pred": len(voxels(prediction)),
        "instances_ref": len(true),
        "instances_pred": len(predicted),
        "instances_matched": len(matches(true, predicted)),
    }


def general(prediction: Sequence, reference: Sequence, spacing: Sequence[float]) -> dict[str, float | None]:
    true, predicted = set(voxels(reference)), set(voxels(prediction))
    ml = spacing[0] * spacing[1] * spacing[2] / 1000
    lesions, marks = components(reference), components(prediction)
    result: dict[str, float | None] = {
        "dice": dice(true, predicted),
        "volume_ref_ml": len(true) * ml,
        "volume_pred_ml": len(predicted) * ml,
        "volume_error_ml": (len(predicted) - len(true)) * ml,
        "relative_volume_error": (len(predicted) - len(true)) / len(true) if true else None,
        "lesions_ref": len(lesions),
        "lesions_found": sum(1 for component in lesions if component & predicted),
        "lesions_pred": len(marks),
        "lesions_true": sum(1 for component in marks if component & true),
        "hd95_mm": None,
    }
    if true and predicted:
        there = distances(surface(prediction), surface(reference), spacing)
        back = distances(surface(reference), surface(prediction), spacing)
        result["hd95_mm"] = max(percentile_95(there), percentile_95(back))
        for tolerance in (1, 2, 5):
            near = sum(1 for distance in there + back if distance <= tolerance + 1e-6)
            result[f"nsd_{tolerance}mm"] = near / len(there + back)
    else:
        for tolerance in (1, 2, 5):
            result[f"nsd_{tolerance}mm"] = 0.0 if true or predicted else 1.0
    return result
