"""Paired supervision: the same image with a part of its report, and the matching target.

A network that may ignore the text finds every lesion and is right on ordinary data. Leaving out a finding's sentences
and its voxels makes the text decide. Runs in the augmentation worker, before nnU-Net merges label values to regions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform

FINDING_VALUES = "finding_values"
FINDING_GROUPS = "finding_groups"
EXHAUSTIVE = "exhaustive_findings"
FOCUS = "focused_finding"
KEPT = "kept_findings"
WITHOUT_REPORT = "without_report"
HAS_TWIN = "report_has_mirror_image"
READS_NOTHING = "reads_nothing"
LABEL_MAP = "label_map"


class SampleSubReport(BasicTransform):
    """Choose the report of a sample and remove what it no longer describes from the target.

    Reads ``finding_values`` (for each finding its label values), ``segmentation`` and, where the patch was chosen for a
    finding, ``focused_finding``: its index. Adds ``kept_findings`` (a bool for each finding), ``without_report``, and
    ``label_map`` (the first channel of the segmentation before anything was removed). A voxel is removed when all
    findings that own its value are left out. Without a report the whole target stays, and ``reads_nothing`` is True.

    Args:
        report_dropout: probability of no report.
        sub_report: probability of a sub-report, in which each finding stays with probability 0.5. A finding that the
            patch was chosen for stays with this probability in any case: so what the report says of it is balanced.
    """

    def __init__(self, *, report_dropout: float, sub_report: float) -> None:
        super().__init__()
        self.report_dropout = report_dropout
        self.sub_report = sub_report

    def __call__(self, **data_dict: Any) -> dict[str, Any]:
        """Apply to a sample."""
        findings: tuple[tuple[int, ...], ...] = data_dict.get(FINDING_VALUES, ())
        without_report = np.random.random() < self.report_dropout
        # findings that share a sentence stay or go together: the sentence cannot describe half of them
        groups = data_dict.get(FINDING_GROUPS, tuple(range(len(findings))))
        focus = data_dict.get(FOCUS)
        left_out: set[int] = set()
        if not without_report and self.sub_report > 0:
            if np.random.random() < self.sub_report:
                left_out = {group for group in sorted(set(groups)) if np.random.random() < 0.5}
            if focus is not None:
                left_out.discard(groups[focus])
                if np.random.random() < 0.5:
                    left_out.add(groups[focus])
        kept = tuple(group not in left_out for group in groups)
        segmentation = data_dict["segmentation"]
        data_dict[LABEL_MAP] = segmentation[:1].clone()
        retained = {value for values, keep in zip(findings, kept, strict=True) if keep for value in values}
        for value in {value for values in findings for value in values} - retained:
            segmentation[0].masked_fill_(segmentation[0] == value, 0)  # a few values: faster than torch.isin
        data_dict[KEPT] = kept
        data_dict[WITHOUT_REPORT] = without_report
        data_dict[READS_NOTHING] = without_report
        return data_dict
