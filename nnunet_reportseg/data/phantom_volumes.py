"""Draws the volumes of the tasks in the roomy chest: which lesions, how large, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.lesion_volume import Lesion, LesionVolume
from nnunet_reportseg.data.phantom_anatomy import NOISE_HU
from nnunet_reportseg.data.phantom_chest import Chest, Patient, build_chest
from nnunet_reportseg.data.phantom_lesions import LesionKernel, kernel_of_radius, lesion_kernel, stamp
from nnunet_reportseg.data.phantom_places import Centre, Margin, place_at_sites, place_mirrored
from nnunet_reportseg.data.phantom_task import PhantomTask
from nnunet_reportseg.data.sites import SITES, Side, Site

SMALL, LARGE = (1.0, 1.15), (1.5, 1.75)  # radii of the task "size", in parts of the radius of the other tasks
VOXEL_RADIUS = 2.0  # with a clear margin; 33 voxels
MIRRORED_TASKS = (PhantomTask.LATERALITY, PhantomTask.NEGATION)


@dataclass(frozen=True)
class VolumePlan:
    """What all volumes of a dataset have in common.

    Attributes:
        task: The task.
        shape: Array shape (z, y, x).
        spacing_mm: Spacing (z, y, x).
        margin: The clear margin in voxels (z, y, x); None where lesions may lie anywhere in their lung.
    """

    task: PhantomTask
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    margin: Margin | None

    @property
    def whole(self) -> bool:
        """Whether what lies at a site lies in its half of its lung as a whole, or its centre only."""
        return self.task is PhantomTask.SITE or (self.task is PhantomTask.FINDINGS and self.margin is not None)

    def kernel(self, factor: float = 1.0) -> LesionKernel:
        """A lesion: in proportion to the chest, or with a clear margin as small as 25 voxels and the grid allow.

        Raises:
            DatasetError: The volume is smaller than such a lesion.
        """
        if self.margin is None:
            radius = lesion_kernel(self.shape, self.spacing_mm).radius_mm
        else:
            radius = VOXEL_RADIUS * float(np.prod(self.spacing_mm)) ** (1 / 3)
        return kernel_of_radius(factor * radius, self.shape, self.spacing_mm)


def draw_in_chest(
    plan: VolumePlan, volume_id: str, patient: Patient, count: int, rng: np.random.Generator
) -> LesionVolume:
    """Draw a volume with ``count`` lesions.

    Raises:
        NoRoomError: There is no place for a lesion.
        DatasetError: The volume is smaller than a lesion.
    """
    chest = build_chest(plan.shape, patient)
    if plan.task in MIRRORED_TASKS:
        kernel = plan.kernel()
        centres = place_mirrored(chest, kernel, plan.margin, rng)
        sites, kernels = [_site_of(chest, centre) for centre in centres], [kernel, kernel]
    else:
        sites = [SITES[i] for i in sorted(rng.choice(len(SITES), size=count, replace=False))]
        kernels = _two_sizes(plan, rng) if plan.task is PhantomTask.SIZE else [plan.kernel()] * count
        centres = place_at_sites(chest, sites, kernels, plan.margin, rng, whole=plan.whole)
    hu, lesion_map = chest.hu.copy(), np.zeros(plan.shape, dtype=np.uint8)
    lesions = []
    for value, (site, centre, kernel) in enumerate(zip(sites, centres, kernels, strict=True), start=1):
        stamp(hu, lesion_map, centre, kernel, value)
        lesions.append(Lesion(value, site, centre, int(kernel.mask.sum())))
    if plan.task is PhantomTask.SIZE:
        lesions = _with_sizes(lesions, kernels)
    return LesionVolume(volume_id, phantom_image(hu, plan.spacing_mm, rng), lesion_map, tuple(lesions))


def phantom_image(hu: np.ndarray, spacing_mm: tuple[float, float, float], rng: np.random.Generator) -> sitk.Image:
    """The image (int16) of a noise-free volume: with noise, and centred on the origin of patient space."""
    noisy = hu + rng.normal(0, NOISE_HU, size=hu.shape)
    image = sitk.GetImageFromArray(np.clip(np.rint(noisy), -1024, 3071).astype(np.int16))
    image.SetSpacing([float(step) for step in reversed(spacing_mm)])
    image.SetOrigin(
        [-(n - 1) / 2 * float(step) for n, step in zip(reversed(hu.shape), reversed(spacing_mm), strict=True)]
    )
    return image


def _site_of(chest: Chest, centre: Centre) -> Site:
    side: Side = "left" if 2 * centre[2] > chest.mirror else "right"
    return Site(side, "upper" if chest.site_masks[Site(side, "upper")][centre] else "lower")


def _two_sizes(plan: VolumePlan, rng: np.random.Generator) -> list[LesionKernel]:
    """A small and a large kernel, in random order."""
    kernels = [plan.kernel(rng.uniform(*span)) for span in (SMALL, LARGE)]
    return kernels if rng.random() < 0.5 else kernels[::-1]


def _with_sizes(lesions: Sequence[Lesion], kernels: Sequence[LesionKernel]) -> list[Lesion]:
    """The lesions with what reports may say about their size."""
    largest = max(kernel.radius_mm for kernel in kernels)
    sized = []
    for lesion, kernel in zip(lesions, kernels, strict=True):
        size, diameter = "large" if kernel.radius_mm == largest else "small", 2 * kernel.radius_mm
        words = {"size": size, "diameter": f"{diameter:.0f} mm"}
        sized.append(replace(lesion, words=words, record={"size": size, "diameter_mm": round(diameter, 1)}))
    return sized
