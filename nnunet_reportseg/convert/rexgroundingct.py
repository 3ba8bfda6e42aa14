"""``rexgroundingct``: chest CT of CT-RATE with one mask per finding of the report.

Source: Baharoon et al., "ReXGroundingCT: A 3D Chest CT Dataset for Segmentation of Findings from Free-Text Reports",
arXiv 2507.22030, https://huggingface.co/datasets/rajpurkarlab/ReXGroundingCT.

::

    dataset.json             or MICCAI_challenge_dataset.json: per item name, findings {"0": text}, categories, ...
    segmentations/<name>     (F, X, Y, Z), integers are numbers of instances; the affine is not that of the CT

The label gets the CT's header, and one value per combination of findings; numbers of instances are not kept. Unlabelled
further instances are background, as the benchmark has it, or findings that may have some are marked
(`nnunet_reportseg.convert.further_instances`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nnunet_reportseg.combined_findings import combine
from nnunet_reportseg.convert.case import CaseTarget, Converted, SourceCase, SourceDataset, Split
from nnunet_reportseg.convert.ct_rate import find_volume, read_ct_rate_reports, require_report
from nnunet_reportseg.convert.further_instances import LabelledInstances
from nnunet_reportseg.convert.nifti_label import mask_voxels, read_nifti, read_volume, write_label_like
from nnunet_reportseg.convert.volumes import place_file
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry, Finding
from nnunet_reportseg.sidecar_format import has_words, name_some
from nnunet_reportseg.text_file import read_json_object, unusable_character

_ENDING = ".nii.gz"
_LAYOUT = "see docs/converters.md for the layout"


def read_rexgroundingct(
    description: Path,
    images: Path,
    *,
    reports: Sequence[Path] = (),
    splits: Sequence[str] = ("train",),
    held_out: Sequence[str] = (),
    ignore_unlabelled: bool = False,
) -> SourceDataset:
    """Find the cases of a release.

    Args:
        description: ``dataset.json`` or ``MICCAI_challenge_dataset.json``, with ``segmentations`` beside it.
        images: Folder of CT volumes, as `find_volume` takes it.
        reports: Tables of CT-RATE; without them the report of a case is the list of its findings.
        splits: Splits of the description that are for training.
        held_out: Splits that go to ``imagesTs`` and ``labelsTs``.
        ignore_unlabelled: Mark the findings that may have further instances, which nobody labelled, as not exhaustive,
            and declare nnU-Net's ignore label; otherwise such instances are background.

    Raises:
        DatasetError: The description is of another layout, a file is missing, a finding has no text, or no table has
            the report of a case.
    """
    items = _items(description)
    texts = read_ct_rate_reports(reports) if reports else None
    cases = []
    named: list[tuple[Split, str]] = [*(("Tr", name) for name in splits), *(("Ts", name) for name in held_out)]
    for split, name in named:
        if name not in items:
            raise DatasetError.about(
                f"no such split; there is {', '.join(items)}", file=description, value=name, fix="name one of them"
            )
        for item in items[name]:
            cases.append(_case(item, split, name, description, images, texts, reports, ignore_unlabelled))
    return SourceDataset(
        converter="rexgroundingct",
        cases=cases,
        file_ending=_ENDING,
        description="Chest CT with one mask per finding; training labels hold at most three instances per finding. "
        + ("Reports of CT-RATE." if reports else "Reports are the lists of findings."),
        reference="https://huggingface.co/datasets/rajpurkarlab/ReXGroundingCT (arXiv 2507.22030), images of CT-RATE",
        licence="CC BY-NC-SA 4.0; see the pages of ReXGroundingCT and CT-RATE",
        ignore_label=ignore_unlabelled,
    )


def _items(description: Path) -> dict[str, list[Any]]:
    content = read_json_object(
        description, DatasetError, what="the description", absent="name dataset.json of the release", start=_LAYOUT
    )
    items = {name: split for name, split in content.items() if isinstance(split, list)}
    if not items:
        raise DatasetError.about(
            "the description has no list of cases", file=description, value=list(content)[:5], fix=_LAYOUT
        )
    return items


def _case(
    item: Any,
    split: Split,
    split_name: str,
    description: Path,
    images: Path,
    texts: dict[str, str | None] | None,
    tables: Sequence[Path],
    ignore_unlabelled: bool,
) -> SourceCase:
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not name.endswith(_ENDING):
        raise DatasetError.about(
            f"an item of '{split_name}' has no name of a volume", file=description, value=item, fix=_LAYOUT
        )
    case = name.removesuffix(_ENDING)
    findings = _finding_texts(item, case, description)
    categories = item.get("categories")
    report = _list_of(findings) if texts is None else require_report(texts, case, tables)
    ct, segmentation = find_volume(images, name), description.parent / "segmentations" / name
    if not segmentation.is_file():
        raise DatasetError.about(
            "the segmentation is missing",
            case=case,
            file=segmentation,
            fix="fetch it; the masks of the test split are not public",
        )
    entry = CaseEntry(report=report, findings=tuple(Finding(id=str(i), text=text) for i, text in enumerate(findings)))
    facts: dict[str, Any] = {"source_split": split_name}
    if isinstance(categories, dict):
        facts["categories"] = {str(index): category for index, category in categories.items()}
    labelled = None
    if ignore_unlabelled:
        labelled = LabelledInstances.of(item, len(findings), split=split_name, case=case, description=description)
        facts |= {"unlabelled": "ignore", "entity_counts": labelled.stated}
    convert = partial(_convert, case=case, ct=ct, segmentation=segmentation, entry=entry, labelled=labelled)
    return SourceCase(case, (ct, segmentation), entry, convert, split, facts)


def _finding_texts(item: Mapping[str, Any], case: str, description: Path) -> list[str]:
    findings = item.get("findings")
    if not isinstance(findings, dict) or not findings:
        raise DatasetError.about("the case has no findings", case=case, file=description, value=findings, fix=_LAYOUT)
    texts = []
    for index in range(len(findings)):
        if str(index) not in findings:
            raise DatasetError.about(
                f"finding {index} is missing: indices must be 0 to {len(findings) - 1}",
                case=case,
                file=description,
                value=name_some(list(findings)),
                fix="give every finding of the segmentation its text",
            )
        text = findings[str(index)]
        if not isinstance(text, str) or not has_words(text):
            raise DatasetError.about(
                f"the text of finding {index} is empty", case=case, file=description, value=text, fix="write its words"
            )
        character = unusable_character(text)
        if character is not None:
            raise DatasetError.about(
                f"the text of finding {index} holds {character}",
                case=case,
                file=description,
                value=text[:40],
                fix="write plain text",
            )
        texts.append(text.strip())
    return texts


def _list_of(texts: Sequence[str]) -> str:
    return "FINDINGS: " + " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts)


def _convert(
    target: CaseTarget,
    *,
    case: str,
    ct: Path,
    segmentation: Path,
    entry: CaseEntry,
    labelled: LabelledInstances | None,
) -> Converted:
    image = read_volume(ct, case=case)
    masks = read_nifti(segmentation, case=case)
    wanted = (len(entry.findings), *image.shape)
    if masks.shape[1:] != image.shape:
        raise DatasetError.about(
            f"shapes differ: the CT is {image.shape}, so the segmentation must be (findings, {str(image.shape)[1:]}",
            case=case,
            file=segmentation,
            value=masks.shape,
            fix="fetch the volume and the segmentation of the same release (CT-RATE dataset/<split>_fixed)",
        )
    if masks.shape != wanted:
        raise DatasetError.about(
            f"the segmentation has {masks.shape[0]} findings, the description {len(entry.findings)}",
            case=case,
            file=segmentation,
            value=masks.shape,
            fix="give every finding of the segmentation its text in the description",
        )
    instances = mask_voxels(masks, case=case, file=segmentation)
    label, values = combine(instances != 0)
    place_file(ct, target.image(), copy=target.copy)
    write_label_like(image, label, target.label)
    findings = [
        Finding(
            id=finding.id,
            text=finding.text,
            label_values=held,
            exhaustive=labelled is None or not held or labelled.are_all(number, instances[number]),
        )
        for number, (finding, held) in enumerate(zip(entry.findings, values, strict=True))
    ]
    noted = {
        "no voxel of finding": [finding.id for finding in findings if not finding.label_values],
        "not all instances may be labelled of finding": [f.id for f in findings if not f.exhaustive],
    }
    return Converted(
        CaseEntry(report=entry.report, findings=tuple(findings)),
        frozenset(np.unique(label[label > 0]).tolist()),
        tuple(f"{note} {', '.join(ids)}" for note, ids in noted.items() if ids),
    )
