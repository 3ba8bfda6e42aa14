"""A real CT that receives nodules: where each site has room, and putting nodules there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from nnunet_reportseg.data.ct_volume import HU_RANGE, read_image, read_image_on, resample
from nnunet_reportseg.data.implants_lungs import find_lungs, split_by_level
from nnunet_reportseg.data.implants_nodules import Nodule
from nnunet_reportseg.data.implants_paste import RenderedNodule, box_of, paste, render
from nnunet_reportseg.data.lesion_volume import Lesion, LesionVolume
from nnunet_reportseg.data.sites import SITES, Site
from nnunet_reportseg.errors import DatasetError

MIN_MEAN_HU = -600.0  # of a usable nodule; lung is near -850
LUNG_BELOW_HU = -650.0  # mean of what a nodule covers: lung with small vessels
TRIES_PER_NODULE = 20


@dataclass(frozen=True)
class HostVolume:
    """A CT that receives nodules.

    Attributes:
        file: Where it was read from.
        image: The resampled CT, int16.
        room_mm: For each site, the distance of each voxel (z, y, x) to the nearest voxel outside the site.
    """

    file: Path
    image: sitk.Image
    room_mm: dict[Site, np.ndarray]


def read_host(file: Path, spacing_mm: tuple[float, float, float] | None, lungs: Path | None) -> HostVolume:
    """Read a CT, resample it and find its sites.

    Args:
        file: The CT.
        spacing_mm: Spacing in array order (z, y, x) of the file; None keeps the file's.
        lungs: Folder with a lung mask of the same file name; None finds the lungs.

    Raises:
        DatasetError: A file cannot be read, the lung mask lies on another grid, the volume gets too large, or no two
            lungs are found.
    """
    original = read_image(file)
    mask = None if lungs is None else read_image_on(original, Path(lungs) / file.name)
    image = resample(original, spacing_mm, source=file)
    if mask is not None:
        mask = resample(mask, spacing_mm, labels=True)
    sites = split_by_level(find_lungs(image, file, mask), image)
    sampling = image.GetSpacing()[::-1]
    # Padding makes the faces of the volume count as outside.
    room = {
        site: ndimage.distance_transform_edt(np.pad(voxels, 1), sampling=sampling)[1:-1, 1:-1, 1:-1].astype(np.float32)
        for site, voxels in sites.items()
    }
    return HostVolume(file, image, room)


def usable_nodules(nodules: Sequence[Nodule], host: HostVolume, min_voxels: int) -> list[RenderedNodule]:
    """The nodules that keep enough voxels and enough contrast to lung on the grid of the host."""
    rendered = (render(nodule, host.image) for nodule in nodules)
    return [
        nodule
        for nodule in rendered
        if nodule is not None and nodule.mask.sum() >= min_voxels and nodule.hu[nodule.mask].mean() > MIN_MEAN_HU
    ]


def implant(
    host: HostVolume, nodules: Sequence[RenderedNodule], count: int, volume_id: str, rng: np.random.Generator
) -> LesionVolume:
    """Put different nodules at ``count`` different sites of a copy of the host.

    Raises:
        DatasetError: No nodule fits into a site.
    """
    hu = sitk.GetArrayFromImage(host.image).astype(np.float32)
    lesion_map = np.zeros(hu.shape, dtype=np.uint8)
    lesions: list[Lesion] = []
    used: set[str] = set()
    for value, index in enumerate(sorted(rng.choice(len(SITES), size=count, replace=False)), start=1):
        site = SITES[index]
        unused = [nodule for nodule in nodules if nodule.nodule.file not in used]
        rendered, centre = _find_place(host, hu, site, unused, rng)
        used.add(rendered.nodule.file)
        paste(hu, lesion_map, rendered, centre, value)
        record: dict[str, str | float] = {
            "nodule": rendered.nodule.file,
            "diameter_mm": round(rendered.nodule.diameter_mm, 1),
        }
        record.update(rendered.nodule.words)
        lesions.append(Lesion(value, site, centre, int((lesion_map == value).sum()), rendered.nodule.words, record))
    image = sitk.GetImageFromArray(np.clip(np.rint(hu), *HU_RANGE).astype(np.int16))
    image.CopyInformation(host.image)
    return LesionVolume(volume_id, image, lesion_map, tuple(lesions), source=host.file.name)


def _find_place(
    host: HostVolume, hu: np.ndarray, site: Site, nodules: Sequence[RenderedNodule], rng: np.random.Generator
) -> tuple[RenderedNodule, tuple[int, int, int]]:
    """The first nodule, in random order, with a place that is lung all around."""
    margin = max(host.image.GetSpacing())
    room = host.room_mm[site]
    for order in rng.permutation(len(nodules)):
        nodule = nodules[order]
        centres = np.argwhere(room > nodule.radius_mm + margin)
        if not len(centres):
            continue
        for pick in rng.integers(len(centres), size=TRIES_PER_NODULE):
            z, y, x = (int(i) for i in centres[pick])
            grid, own = box_of(nodule, (z, y, x), hu.shape)
            if hu[grid][nodule.mask[own]].mean() < LUNG_BELOW_HU:
                return nodule, (z, y, x)
    raise DatasetError.about(
        f"no nodule fits into the {site} lung (largest free radius {room.max():.0f} mm, {len(nodules)} nodules tried)",
        file=host.file,
        fix="add smaller nodules, choose a finer spacing or a smaller --min-voxels, or leave this volume out",
    )
