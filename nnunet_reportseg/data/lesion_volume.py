"""One generated volume with its lesions, before any report is written about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.sites import Site


@dataclass(frozen=True)
class Lesion:
    """A lesion that is present in a volume, described or not.

    Attributes:
        value: Its voxel value in the volume's lesion map, from 1.
        site: Where it lies.
        centre_voxel: Array index (z, y, x) of its centre.
        voxels: Number of its voxels.
        words: What templates may say about it (placeholder to words), besides the site.
        record: Further facts for the manifest, such as the source file of a real nodule.
    """

    value: int
    site: Site
    centre_voxel: tuple[int, int, int]
    voxels: int
    words: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class LesionVolume:
    """A volume and all lesions in it.

    Attributes:
        volume_id: Name of the volume; training cases carry it as case id.
        image: The CT in HU (int16) with its geometry.
        lesion_map: Array (z, y, x) of uint8, the lesion's value at its voxels.
        lesions: The lesions by ascending value.
        source: File the volume was made from, or None for a synthetic one.
    """

    volume_id: str
    image: sitk.Image
    lesion_map: np.ndarray
    lesions: tuple[Lesion, ...]
    source: str | None = None
