"""Where voxels of masks and of segments lie in the patient (LPS, mm), each read without the code under test."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom

Places = set[tuple[float, ...]]


def places_of_mask(file: Path) -> Places:
    """The voxels of a NIfTI mask, by nibabel."""
    image = nibabel.load(file)
    return _rounded(nibabel.affines.apply_affine(image.affine, np.argwhere(image.get_fdata() != 0)) * (-1, -1, 1))


def places_of_segment(file: Path, number: int) -> Places:
    """The voxels of a segment, from the attributes of its frames (PS3.3 C.7.6.2.1.1)."""
    segmentation = pydicom.dcmread(file)
    shared = segmentation.SharedFunctionalGroupsSequence[0]
    row, column = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    between_rows, between_columns = shared.PixelMeasuresSequence[0].PixelSpacing
    points = []
    for frame, groups in zip(segmentation.pixel_array, segmentation.PerFrameFunctionalGroupsSequence, strict=True):
        if groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number:
            origin = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
            points += [origin + j * between_columns * row + i * between_rows * column for i, j in np.argwhere(frame)]
    return _rounded(np.array(points))


def _rounded(points: np.ndarray) -> Places:
    return {tuple(point) for point in (points.round(1) + 0.0).tolist()}


def edit_headers(files, **values: object) -> None:
    """Set attributes of all files; None removes one."""
    for file in files:
        header = pydicom.dcmread(file)
        for keyword, value in values.items():
            if value is None:
                delattr(header, keyword)
            else:
                setattr(header, keyword, value)
        header.save_as(file)
