"""``nsclc_radiogenomics``: chest CT of lung cancer; the report is a template filled from the clinical table.

Source: Bakr et al., "A radiogenomic dataset of non-small cell lung cancer", Scientific Data 2018,
https://doi.org/10.7937/K9/TCIA.2017.7hs46erv.

::

    images/R01-001.nii.gz, or a folder images/R01-001 with one DICOM series      labels/R01-001.nii.gz
    table: Case ID, Tumor Location (choice=RUL), ..., Histology (with a space behind it), Pathological T stage

The release holds masks as DICOM SEG, which have to be written as NIfTI on the grid of the CT before.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from nnunet_reportseg.convert.case import SourceCase, SourceDataset
from nnunet_reportseg.convert.folder import require_folder, visible
from nnunet_reportseg.convert.table import Row, by_key, read_table, require_row
from nnunet_reportseg.convert.volumes import convert_volumes
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry

_ENDING = ".nii.gz"
_ID, _HISTOLOGY, _STAGE = "Case ID", "Histology", "Pathological T stage"
_LOBES = {
    "RUL": "right upper lobe",
    "RML": "right middle lobe",
    "RLL": "right lower lobe",
    "LUL": "left upper lobe",
    "LLL": "left lower lobe",
    "L Lingula": "lingula of the left lung",
}
_CHECKED = {"checked": True, "unchecked": False, "": False}
_UNKNOWN = ("", "not collected", "not recorded in database", "unknown", "n/a")


def read_nsclc_radiogenomics(images: Path, labels: Path, table: Path) -> SourceDataset:
    """Find the cases: those that have a label.

    Args:
        images: Folder of CT volumes or of folders with one DICOM series each, named by ``Case ID``.
        labels: Folder of masks, named by ``Case ID``.
        table: The clinical table of the release.

    Raises:
        DatasetError: The table cannot be used, a case has no row, no image, or nothing to report.
    """
    require_folder(images)
    require_folder(labels)
    locations = [_location(lobe) for lobe in _LOBES]
    rows = by_key(read_table(table, (_ID, *locations, _HISTOLOGY, _STAGE)), _ID, table)
    cases = []
    for label in (file for file in visible(labels) if file.name.endswith(_ENDING)):
        case = label.name.removesuffix(_ENDING)
        image = images / label.name if (images / label.name).is_file() else images / case
        if not image.exists():
            raise DatasetError.about(
                "the case has no image", case=case, file=image, fix="add the volume or a folder with its DICOM series"
            )
        entry = CaseEntry(
            report=_report(require_row(rows, case, case=case, file=table), case, table), origin="template"
        )
        convert = partial(convert_volumes, case=case, images=(image,), label=label, entry=entry, binary=True)
        cases.append(SourceCase(case, (image, label), entry, convert))
    return SourceDataset(
        converter="nsclc_radiogenomics",
        cases=cases,
        file_ending=_ENDING,
        description="Chest CT of lung cancer. Templated reports: filled from lobe, histology and T stage, not written "
        "by a radiologist",
        reference="https://doi.org/10.7937/K9/TCIA.2017.7hs46erv (Scientific Data 2018)",
        licence="CC BY 3.0; see the page of the collection",
        labels={"finding": (1,)},
    )


def _location(lobe: str) -> str:
    return f"Tumor Location (choice={lobe})"


def _report(row: Row, case: str, table: Path) -> str:
    lobes = []
    for short, lobe in _LOBES.items():
        answer = row[_location(short)].casefold()
        if answer not in _CHECKED:
            raise DatasetError.about(
                f"'{_location(short)}' is neither Checked nor Unchecked",
                case=case,
                file=table,
                value=answer,
                fix="use the table of the release",
            )
        if _CHECKED[answer]:
            lobes.append(lobe)
    known = {name: row[name] for name in (_HISTOLOGY, _STAGE) if row[name].casefold() not in _UNKNOWN}
    findings = [f"Tumor in the {' and the '.join(lobes)}."] if lobes else []
    impression = [f"{known[_HISTOLOGY]}."] if _HISTOLOGY in known else []
    impression += [f"T stage {known[_STAGE]}."] if _STAGE in known else []
    parts = [("FINDINGS", findings), ("IMPRESSION", impression)]
    if not findings and not impression:
        raise DatasetError.about(
            "the row has neither lobe nor histology nor T stage", case=case, file=table, fix="take its label away"
        )
    return "\n".join(f"{heading}: {' '.join(sentences)}" for heading, sentences in parts if sentences)
