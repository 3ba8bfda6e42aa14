"""The label values of findings against the labels that a training sees.

A value that does not occur gives a finding without voxels: its sentences would be trained to describe nothing. The
preprocessed labels are looked at first, because they are what is trained on; the original ones, slow to read, only
where a value is missing there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnunet_reportseg.dataset_json import DATASET_JSON, LabelSet, read_label_set
from nnunet_reportseg.errors import SidecarError, describe
from nnunet_reportseg.label_map import read_label_map
from nnunet_reportseg.sidecar import SIDECAR_NAME, Finding, Sidecar

_log = logging.getLogger(__name__)


def require_label_values(
    sidecar: Sidecar, cases: Sequence[str], segmentation: Callable[[str], NDArray[Any]], preprocessed: Path
) -> None:
    """Make sure that every label value of a finding occurs in the labels of its case.

    A value that resampling lost is logged: the finding is right, but this training cannot see it.

    Args:
        sidecar: with an entry for every case.
        cases: the cases.
        segmentation: gives the preprocessed label map of a case.
        preprocessed: ``nnUNet_preprocessed/DatasetXXX_Name``.

    Raises:
        SidecarError: values that do not occur or are not declared; names every case.
        DatasetError: ``dataset.json`` or an original label file cannot be read.
    """
    wanted = {case: {value: f for f in sidecar.findings(case) for value in f.label_values} for case in cases}
    wanted = {case: values for case, values in wanted.items() if values}
    if not wanted:
        return
    labels = read_label_set(preprocessed / DATASET_JSON)

    def problems_of(case: str) -> list[str]:
        return list(_problems(case, wanted[case], segmentation, preprocessed, labels, sidecar))

    # decompressing and comparing arrays leave the interpreter's lock
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        problems = [problem for found in pool.map(problems_of, wanted) for problem in found]
    if problems:
        raise SidecarError("\n".join(problems))


def _problems(
    case: str,
    wanted: Mapping[int, Finding],
    segmentation: Callable[[str], NDArray[Any]],
    preprocessed: Path,
    labels: LabelSet,
    sidecar: Sidecar,
) -> Iterator[str]:
    file = sidecar.path or SIDECAR_NAME
    undeclared = sorted(wanted.keys() - labels.values)
    for value in undeclared:
        yield describe(
            f"finding '{wanted[value].id}' has a label value that {preprocessed / DATASET_JSON} does not declare",
            case=case,
            file=file,
            value=value,
            fix=f"correct label_values, or add the value to the labels in {DATASET_JSON} and preprocess again",
        )
    preprocessed_labels = segmentation(case)
    lost = [value for value in sorted(wanted.keys() - set(undeclared)) if not (preprocessed_labels == value).any()]
    if not lost:
        return
    original = preprocessed / "gt_segmentations" / f"{case}{labels.file_ending}"
    present = read_label_map(original, labels.reader, case=case).values
    for value in lost:
        if value in present:
            _log.warning(
                "case '%s': the label value %d of finding '%s' is in %s, but resampling left no voxel of it",
                case,
                value,
                wanted[value].id,
                original,
            )
        else:
            yield describe(
                f"label value of finding '{wanted[value].id}' never occurs in {original} "
                f"(it has {', '.join(map(str, sorted(present)))})",
                case=case,
                file=file,
                value=value,
                fix="correct label_values, or correct the label file and preprocess again",
            )
