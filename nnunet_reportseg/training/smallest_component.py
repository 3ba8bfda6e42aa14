"""The smallest component of any finding in the training labels (nnunet_reportseg.credible_size)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from nnunetv2.configuration import default_num_processes

from nnunet_reportseg.credible_size import component_sizes
from nnunet_reportseg.training.preprocessed import PreprocessedCases

MOST_CASES = 200  # that are looked at, evenly over all; large datasets would take minutes


def smallest_component_mm3(
    preprocessed: PreprocessedCases,
    findings: Mapping[str, Sequence[Sequence[int]]],
    spacing: Sequence[float],
    transpose_forward: Sequence[int],
) -> float | None:
    """Volume of the smallest component, in mm^3; None where no case has a finding.

    Args:
        preprocessed: the cases.
        findings: for each training case the label values of its findings.
        spacing: of the configuration, mm; two values for slices, whose distance is the image's own.
        transpose_forward: of the plans.
    """

    def smallest(case: str) -> float | None:
        labels = np.asarray(preprocessed.segmentation(case)[0])
        along = list(spacing)
        if len(along) < labels.ndim:
            properties: dict[str, Any] = preprocessed.properties(case)
            along = [properties["spacing"][transpose_forward[0]], *along]
        sizes = [size for values in findings[case] for size in component_sizes(np.isin(labels, values))]
        return min(sizes) * float(np.prod(along)) if sizes else None

    cases = sorted(case for case, values in findings.items() if any(values))
    step = max(1, -(-len(cases) // MOST_CASES))
    with ThreadPoolExecutor(default_num_processes) as pool:
        found = [volume for volume in pool.map(smallest, cases[::step]) if volume is not None]
    return min(found, default=None)
