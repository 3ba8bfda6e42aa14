"""Masks of findings as a DICOM Segmentation (PS3.3 A.51), by highdicom: a segment for each finding that has voxels.

Segments may overlap. Words of a finding are its label and description; they are not coded: every segment is a "Lesion",
a "Morphologically Abnormal Structure". Slices lie where the files of the series say, so nothing is resampled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.finding_files import DICOM_SEG_FILE
from nnunet_reportseg.image_errors import reason
from nnunet_reportseg.version import __version__

if TYPE_CHECKING:
    from highdicom.seg import Segmentation
    from pydicom import Dataset

_NAME = "nnunet-reportseg"
_SERIES_NUMBER = 1000  # scanners count from 1
# Characters that the value representations LO and ST take, less the space that may pad a value and that readers count.
_LABEL_LENGTH, _DESCRIPTION_LENGTH = 63, 1023
# What DICOM wants in every file and allows to be empty; anonymised files often lack it.
_OF_PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
_OF_STUDY = ("AccessionNumber", "StudyID", "StudyDate", "StudyTime")


def require_highdicom() -> None:
    """Make sure that DICOM SEG can be written.

    Raises:
        DatasetError: highdicom is not installed.
    """
    try:
        import highdicom  # noqa: F401
    except ImportError as error:
        raise DatasetError.about(
            "writing DICOM SEG needs highdicom", fix="pip install 'nnunet-reportseg[dicom]', or leave --dicom-seg out"
        ) from error


def require_usable_header(files: Sequence[Path], *, case: str) -> None:
    """Make sure that a segmentation can refer to a series, before anything is predicted.

    Args:
        files: of the series, in order (nnunet_reportseg.dicom_series.series_files).
        case: case identifier, for messages.

    Raises:
        DatasetError: its header lacks what a segmentation needs, such as the frame of reference.
    """
    first = _headers(files[:2], case)
    masks = np.ones((len(first), first[0].Rows, first[0].Columns, 1), np.uint8)
    _segmentation(first, masks, [{"id": case, "text": case}], files[0].parent, case)


def write_dicom_seg(
    folder: Path, entries: Sequence[Mapping[str, Any]], files: Sequence[Path], *, case: str
) -> dict[str, Any]:
    """Write ``findings.dcm``, unless all findings are empty.

    Args:
        folder: where it goes, and the masks lie.
        entries: of the findings in the index: ``id``, ``text``, ``empty``, and ``file``, on the grid of the series.
        files: of the series, in order (nnunet_reportseg.dicom_series.series_files).
        case: case identifier, for messages.

    Returns:
        The entry of the index: ``file``, None where all are empty, and ``segments``, the finding of each segment.

    Raises:
        DatasetError: the header of the series lacks what a segmentation needs.
    """
    found = [entry for entry in entries if not entry["empty"]]
    if not found:
        return {"file": None, "segments": {}}
    images = (sitk.ReadImage(str(folder / entry["file"])) for entry in found)
    masks = np.stack([(sitk.GetArrayViewFromImage(image) != 0).astype(np.uint8) for image in images], axis=-1)
    segmentation = _segmentation(_headers(files, case), masks, found, files[0].parent, case)
    segmentation.save_as(folder / DICOM_SEG_FILE)
    return {
        "file": DICOM_SEG_FILE,
        "segments": {str(number): entry["id"] for number, entry in enumerate(found, start=1)},
    }


def _headers(files: Sequence[Path], case: str) -> list[Dataset]:
    from pydicom import dcmread

    try:  # by force, because GDCM has read them, also without the preamble that pydicom insists on
        return [dcmread(file, stop_before_pixels=True, force=True) for file in files]
    except (OSError, ValueError) as error:
        raise DatasetError.about(
            f"the header of a slice cannot be read ({reason(error)})",
            case=case,
            file=files[0].parent,
            fix="export the series again",
        ) from error


def _complete(headers: Sequence[Dataset]) -> None:
    """Add to the first header, which highdicom reads, what it may lack; it need not say how far slices are apart."""
    for keyword in _OF_PATIENT + _OF_STUDY:
        if keyword not in headers[0]:
            setattr(headers[0], keyword, "")
    first, last = (np.array(header.ImagePositionPatient, np.float64) for header in (headers[0], headers[-1]))
    headers[0].SpacingBetweenSlices = round(float(np.linalg.norm(last - first)) / (len(headers) - 1), 6)
    if not headers[0].get("SliceThickness"):
        headers[0].SliceThickness = headers[0].SpacingBetweenSlices


def _segmentation(
    headers: Sequence[Dataset],
    masks: NDArray[np.uint8],
    entries: Sequence[Mapping[str, Any]],
    folder: Path,
    case: str,
) -> Segmentation:
    """Masks ``(slices, rows, columns, F)`` of findings as a segmentation."""
    import highdicom

    _complete(headers)
    try:
        return highdicom.seg.Segmentation(
            source_images=headers,
            pixel_array=masks,
            segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
            segment_descriptions=[_description(number, entry) for number, entry in enumerate(entries, start=1)],
            series_instance_uid=highdicom.UID(),
            series_number=_SERIES_NUMBER,
            series_description=f"Findings ({_NAME})",
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer=_NAME,
            manufacturer_model_name=_NAME,
            software_versions=__version__,
            device_serial_number="0",
            content_label="FINDINGS",
            specific_character_set="ISO_IR 192",  # UTF-8
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DatasetError.about(
            f"the header of the series does not do for a DICOM SEG ({reason(error)})",
            case=case,
            file=folder,
            fix="export the series with a complete header, or leave --dicom-seg out",
        ) from error


def _description(number: int, entry: Mapping[str, Any]) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    text = " ".join(str(entry["text"]).split())
    description = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=_shortened(text.replace("\\", "/"), _LABEL_LENGTH),  # a backslash separates values
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=_NAME, family=codes.DCM.ArtificialIntelligence, version=__version__
        ),
        tracking_id=str(entry["id"]),
        tracking_uid=highdicom.UID(),
    )
    description.SegmentDescription = _shortened(text, _DESCRIPTION_LENGTH)
    return description


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 3].rstrip() + "..."
