"""Draws the volumes of the task "findings": at each occupied site a nodule, a ground-glass opacity, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.finding_kinds import Kind
from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.phantom_chest import Patient, build_chest
from nnunet_reportseg.data.phantom_lesions import stamp
from nnunet_reportseg.data.phantom_overlap import DENSITY_HU, Occupant, occupants
from nnunet_reportseg.data.phantom_places import place_at_sites
from nnunet_reportseg.data.phantom_volumes import VolumePlan, phantom_image
from nnunet_reportseg.data.sites import SITES


@dataclass(frozen=True)
class FindingsVolume:
    """A volume and all findings in it, which may overlap.

    Attributes:
        volume_id: Name of the volume and of its case.
        image: The CT in HU (int16) with its geometry.
        findings: The findings; their records have a ``kind``. The first has the value 1.
        masks: Boolean array (F, z, y, x) with the voxels of each.
    """

    volume_id: str
    image: sitk.Image
    findings: tuple[Lesion, ...]
    masks: np.ndarray

    def masks_of(self, findings: Sequence[Lesion]) -> np.ndarray:
        """The masks of some of the findings."""
        return self.masks[[finding.value - 1 for finding in findings]]


def draw_findings(
    plan: VolumePlan, volume_id: str, patient: Patient, count: int, rng: np.random.Generator
) -> FindingsVolume:
    """Draw a volume with ``count`` occupied sites, half of them with both kinds (of three sites one or two).

    Raises:
        NoRoomError: A site has no room.
        DatasetError: The volume is smaller than a finding.
    """
    chest = build_chest(plan.shape, patient)
    sites = [SITES[i] for i in sorted(rng.choice(len(SITES), size=count, replace=False))]
    here = _choose_occupants(plan, count, rng)
    kernels = [occupant.kernel for occupant in here]
    centres = place_at_sites(chest, sites, kernels, plan.margin, rng, whole=plan.whole)
    hu = chest.hu.copy()
    findings, masks = [], []
    for site, occupant, middle in zip(sites, here, centres, strict=True):
        for kind, (kernel, offset) in occupant.parts.items():
            z, y, x = (c + step for c, step in zip(middle, offset, strict=True))
            mask = np.zeros(plan.shape, dtype=np.uint8)
            stamp(hu, mask, (z, y, x), kernel, 1, lesion_hu=DENSITY_HU[kind])
            masks.append(mask > 0)
            size = int(kernel.mask.sum())
            findings.append(Lesion(len(masks), site, (z, y, x), size, record={"kind": kind.value}))
    return FindingsVolume(volume_id, phantom_image(hu, plan.spacing_mm, rng), tuple(findings), np.stack(masks))


def _choose_occupants(plan: VolumePlan, count: int, rng: np.random.Generator) -> list[Occupant]:
    """What lies at each of the sites."""
    known = occupants(plan)
    both = rng.permutation(count)[: (count + rng.integers(2)) // 2]
    chosen = []
    for number in range(count):
        choice = int(rng.integers(2))
        chosen.append(known.both[choice] if number in both else known.alone[list(Kind)[choice]])
    return chosen
