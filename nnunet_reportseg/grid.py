"""The grid that an image lies on, and how two grids differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# As nnU-Net's verify_dataset_integrity, but for the absolute part: NIfTI keeps directions as float32 quaternions, whose
# rounding exceeds its 1e-8 next to a zero. nnU-Net only warns about directions; here a difference is an error.
_RELATIVE, _ABSOLUTE = 1e-5, 1e-4


@dataclass(frozen=True)
class Grid:
    """Shape and place of an image.

    Attributes:
        parts: Numbers by name, such as shape, spacing, origin and direction; the names depend on what the file format
            knows.
    """

    parts: Mapping[str, tuple[float, ...]]

    @classmethod
    def of_properties(cls, shape: tuple[int, ...], properties: Mapping[str, Any]) -> Grid:
        """The grid of an image that nnU-Net's readers read, from its array's shape and the properties they return."""
        parts = {"shape": shape, "spacing": properties["spacing"]}
        if "sitk_stuff" in properties:
            parts.update({name: properties["sitk_stuff"][name] for name in ("origin", "direction")})
        if "nibabel_stuff" in properties:
            parts["affine"] = np.ravel(properties["nibabel_stuff"]["original_affine"])
        return cls({name: tuple(np.asarray(part).tolist()) for name, part in parts.items()})

    @classmethod
    def of_image(cls, image: Any) -> Grid:
        """The grid of a SimpleITK image, axes in its own order (x, y, z)."""
        return cls(
            {
                "size": image.GetSize(),
                "spacing": image.GetSpacing(),
                "origin": image.GetOrigin(),
                "direction": image.GetDirection(),
            }
        )

    def difference(self, other: Grid) -> str | None:
        """What differs, with the numbers of both; None where both grids are the same."""
        found = [
            f"{name}: {_plain(mine)} and {_plain(theirs)}"
            for name, mine in self.parts.items()
            for theirs in [other.parts.get(name, ())]
            if len(mine) != len(theirs) or not np.allclose(mine, theirs, rtol=_RELATIVE, atol=_ABSOLUTE)
        ]
        return "; ".join(found) or None


def _plain(numbers: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(number, 6) for number in numbers)
