"""Mirroring of patients: the image is flipped left-right and the report is that of the mirrored patient.

Unlike nnU-Net's mirroring, which leaves the report behind, this gives training every finding on both sides. The patch
keeps its place in the mirrored patient: its left-right coordinate is reflected too. Where no report is read, none can
be contradicted, and every patient can be mirrored, as nnU-Net does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

from nnunet_reportseg.frames import compose, flip_frame, reflected
from nnunet_reportseg.training.frame_tracking import FRAME
from nnunet_reportseg.training.sub_reports import HAS_TWIN, LABEL_MAP, READS_NOTHING

MIRRORED = "mirrored_patient"


class MirrorPatient(BasicTransform):
    """Mirror a sample and its report with a probability.

    Comes after the choice of the report. Reads ``report_has_mirror_image``, ``reads_nothing``, ``frame``, ``image``,
    ``segmentation`` and ``label_map``; adds ``mirrored_patient``.

    Args:
        probability: of mirroring a sample whose report has a mirror image, or that reads nothing.
        patch_axis: spatial axis of the patch that runs left-right; negative where none does (slices of a 2D
            configuration along it), then only the place of the slice is reflected.
    """

    def __init__(self, *, probability: float, patch_axis: int) -> None:
        super().__init__()
        self.probability = probability
        self.patch_axis = patch_axis

    def __call__(self, **data_dict: Any) -> dict[str, Any]:
        """Apply to a sample."""
        may = bool(data_dict[HAS_TWIN]) or data_dict.get(READS_NOTHING, False)
        mirror = may and np.random.random() < self.probability
        data_dict[MIRRORED] = mirror
        if not mirror:
            return data_dict
        frame = data_dict[FRAME]
        if self.patch_axis >= 0:
            shape = data_dict["image"].shape[1:]
            frame = compose(frame, flip_frame(shape, (self.patch_axis,)))
            for key in ("image", "segmentation", LABEL_MAP):
                data_dict[key] = torch.flip(data_dict[key], (self.patch_axis + 1,))
        data_dict[FRAME] = reflected(frame)
        return data_dict
