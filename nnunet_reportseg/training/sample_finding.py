"""One finding for each sample of grounding; runs in the augmentation worker, before label values become regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

from nnunet_reportseg.training.known_voxels import known_voxels
from nnunet_reportseg.training.sub_reports import (
    EXHAUSTIVE,
    FINDING_VALUES,
    FOCUS,
    KEPT,
    LABEL_MAP,
    WITHOUT_REPORT,
)


class SampleFinding(BasicTransform):
    """Choose what a sample asks for, and leave only that in the target.

    Reads ``finding_values``, ``exhaustive_findings`` (for each finding whether all its instances are labelled),
    ``segmentation`` and, where the patch was chosen for a finding, ``focused_finding``. Adds ``kept_findings`` (True
    for the finding that is asked for), ``without_report`` (whether its words stand alone) and ``label_map`` (the first
    channel of the segmentation before anything was removed).

    With an ignore label, voxels that may belong to an unlabelled instance of the finding get it. What is asked for and
    is not there is nowhere: then nothing is ignored, but what the label files ignore.

    Args:
        absent: probability of asking for something that is not there; the target is then empty.
        another: probability, of the remaining samples, that a patch that was chosen for a finding is asked for another
            one of its case. Without it no patch would show a finding and be asked for one that lies elsewhere, and
            what tells them apart would not be learned.
        without_report: probability of asking without context.
        ignore_label: label value that stays, where the dataset has one.
        margin: around labelled instances, along each axis in voxels, in which an unlabelled instance is ruled out.
    """

    def __init__(
        self,
        *,
        absent: float,
        another: float,
        without_report: float,
        ignore_label: int | None,
        margin: Sequence[int],
    ) -> None:
        super().__init__()
        self.absent = absent
        self.another = another
        self.without_report = without_report
        self.ignore_label = ignore_label
        self.margin = tuple(margin)

    def __call__(self, **data_dict: Any) -> dict[str, Any]:
        """Apply to a sample."""
        findings: tuple[tuple[int, ...], ...] = data_dict.get(FINDING_VALUES, ())
        chosen: int | None = None
        if findings and np.random.random() >= self.absent:
            chosen = self._choose(len(findings), data_dict.get(FOCUS))
        segmentation = data_dict["segmentation"]
        data_dict[LABEL_MAP] = segmentation[:1].clone()
        target = segmentation[0]
        unknown = None
        if chosen is not None and self.ignore_label is not None and not data_dict[EXHAUSTIVE][chosen]:
            unknown = torch.from_numpy(~known_voxels(target.numpy(), findings, chosen, self.margin))
        stays = set(() if chosen is None else findings[chosen])
        if self.ignore_label is not None:
            stays.add(self.ignore_label)
        target[(target > 0) & ~torch.isin(target, torch.tensor(sorted(stays), dtype=target.dtype))] = 0
        if unknown is not None:
            target[unknown] = self.ignore_label
        data_dict[KEPT] = tuple(number == chosen for number in range(len(findings)))
        data_dict[WITHOUT_REPORT] = bool(np.random.random() < self.without_report)
        return data_dict

    def _choose(self, count: int, focus: int | None) -> int:
        others = [number for number in range(count) if number != focus]
        if focus is not None and (not others or np.random.random() >= self.another):
            return focus
        return int(np.random.choice(others))
