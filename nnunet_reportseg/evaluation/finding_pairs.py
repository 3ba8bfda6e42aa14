"""Reads the masks of findings: the reference from a label file and ``label_values``, the prediction from its own file.

A finding without ``label_values`` has an empty reference: it is denied, resolved, or was not drawn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnunet_reportseg.dataset_json import DATASET_JSON, LabelSet
from nnunet_reportseg.errors import DatasetError, SidecarError
from nnunet_reportseg.evaluation.mask_pair import MaskPair
from nnunet_reportseg.finding_files import FINDING_ENDING, INDEX_JSON, read_finding_index
from nnunet_reportseg.label_map import LabelMap, read_label_map
from nnunet_reportseg.sidecar import SIDECAR_NAME, Finding, Sidecar

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CaseFindings:
    """What is scored in one case.

    Attributes:
        case: Case identifier.
        reference: The label file.
        findings: Findings of the sidecar and their predicted masks.
    """

    case: str
    reference: Path
    findings: tuple[tuple[Finding, Path], ...]


def find_cases(predictions: Path, references: Path, sidecar: Sidecar, labels: LabelSet) -> tuple[CaseFindings, ...]:
    """Find all that is scored, and make sure that all files are there.

    Args:
        predictions: Folder with a folder for each case, see `nnunet_reportseg.finding_files`.
        references: Folder with one label file per case; decides which cases are scored.
        sidecar: Which findings the cases have.
        labels: Of the ``dataset.json`` of the references.

    Returns:
        The cases that have findings, in the order of their names.

    Raises:
        SidecarError: A case has no entry, or a finding a label value that ``dataset.json`` does not declare.
        DatasetError: There are no references or no findings, a prediction is missing, or an index lists a finding that
            the sidecar does not.
    """
    ending = labels.file_ending
    names = sorted(file.name[: -len(ending)] for file in references.glob(f"*{ending}"))
    if not names:
        raise DatasetError.about(
            "no reference segmentations", file=references, value=ending, fix="name the folder with the label files"
        )
    wanted = {case: sidecar.findings(case) for case in names}
    wanted = {case: findings for case, findings in wanted.items() if findings}
    if not wanted:
        raise DatasetError.about(
            "none of the cases has findings",
            file=sidecar.path or SIDECAR_NAME,
            fix="list the findings of each case, with their label_values",
        )
    missing = [case for case in wanted if not (predictions / case).is_dir()]
    if missing:
        raise DatasetError.about(
            f"{len(missing)} of {len(wanted)} cases have no folder of predicted findings: {', '.join(missing[:20])}",
            case=missing[0],
            file=predictions / missing[0],
            fix="predict these cases, or name a folder with the references of the predicted cases only",
        )
    extra = sorted(folder.name for folder in predictions.iterdir() if (folder / INDEX_JSON).is_file())
    extra = [case for case in extra if case not in wanted]
    if extra:
        logger.warning("%d predicted cases are not scored: %s", len(extra), ", ".join(extra))
    return tuple(
        CaseFindings(case, references / f"{case}{ending}", _with_files(case, findings, predictions, sidecar, labels))
        for case, findings in wanted.items()
    )


def _with_files(
    case: str, findings: tuple[Finding, ...], predictions: Path, sidecar: Sidecar, labels: LabelSet
) -> tuple[tuple[Finding, Path], ...]:
    files = read_finding_index(predictions / case, case=case)
    index, source = predictions / case / INDEX_JSON, sidecar.path or SIDECAR_NAME
    ids = [finding.id for finding in findings]
    absent = [finding for finding in ids if finding not in files]
    if absent:
        raise DatasetError.about(
            f"the index lacks {len(absent)} of {len(ids)} findings of {source}",
            case=case,
            file=index,
            value=absent,
            fix="predict these findings, also where their masks are empty",
        )
    unknown = [finding for finding in files if finding not in ids]
    if unknown:
        raise DatasetError.about(
            f"the index lists findings that {source} does not declare",
            case=case,
            file=index,
            value=unknown,
            fix="name the sidecar that was predicted with, or add the findings to it",
        )
    for finding in findings:
        undeclared = sorted(set(finding.label_values) - labels.values)
        if undeclared:
            raise SidecarError.about(
                f"finding '{finding.id}' has label values that {DATASET_JSON} does not declare",
                case=case,
                file=source,
                value=undeclared,
                fix=f"correct label_values, or name the {DATASET_JSON} that belongs to the references",
            )
    return tuple((finding, files[finding.id]) for finding in findings)


def read_pairs(case: CaseFindings, labels: LabelSet) -> Iterator[tuple[Finding, MaskPair]]:
    """Read the masks of a case, one finding at a time; voxels with the ignore label are background in both masks.

    Args:
        case: From `find_cases`.
        labels: Of the ``dataset.json`` of the references.

    Yields:
        Each finding and its masks.

    Raises:
        DatasetError: A file is unreadable, the label file lacks a value of a finding, or a prediction is no mask or
            lies on another grid.
    """
    reference = read_label_map(case.reference, labels.reader, case=case.case)
    counted = True if labels.ignore_label is None else reference.voxels != labels.ignore_label
    for finding, file in case.findings:
        _require_values(case, finding, reference)
        prediction = _read_prediction(case, finding, file, reference, labels)
        true = np.isin(reference.voxels, finding.label_values) & counted
        yield finding, MaskPair.of((prediction.voxels != 0) & counted, true, reference.grid.parts["spacing"])


def _require_values(case: CaseFindings, finding: Finding, reference: LabelMap) -> None:
    lost = sorted(set(finding.label_values) - reference.values)
    if lost:
        raise DatasetError.about(
            f"label values of finding '{finding.id}' never occur in the label file",
            case=case.case,
            file=case.reference,
            value=lost,
            fix="correct label_values in the sidecar; without them the finding has an empty reference",
        )


def _read_prediction(
    case: CaseFindings, finding: Finding, file: Path, reference: LabelMap, labels: LabelSet
) -> LabelMap:
    reader = labels.reader if labels.file_ending == FINDING_ENDING else "SimpleITKIO"
    prediction = read_label_map(file, reader, case=case.case)
    if not prediction.values <= {0, 1}:
        raise DatasetError.about(
            f"the prediction of finding '{finding.id}' is no mask",
            case=case.case,
            file=file,
            value=sorted(prediction.values),
            fix="write 1 inside the finding and 0 elsewhere",
        )
    difference = reference.grid.difference(prediction.grid)
    if difference is not None:
        raise DatasetError.about(
            f"reference and prediction of finding '{finding.id}' differ in {difference}",
            case=case.case,
            file=file,
            fix="predict on the image's own grid, or give the references of these predictions",
        )
    return prediction
