"""Patient axes of nnU-Net's arrays: which array axis runs left-right, and which way.

nnU-Net never reorients (its readers keep the stored axes, ``transpose_forward`` permutes them), so "left" is a
different array axis from dataset to dataset. Verified against nnunetv2 2.8: imageio/simpleitk_reader_writer.py and
nibabel_reader_writer.py return arrays with axes reversed against the image (z, y, x) and keep the geometry in the
properties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nnunet_reportseg.errors import GeometryError
from nnunet_reportseg.frames import Frame
from nnunet_reportseg.image_errors import path_for_reader, reading_errors, reason, require_volume

_Axis = Annotated[int, Field(ge=0, le=2)]
_Sign = Annotated[int, Field(ge=-1, le=1)]


@dataclass(frozen=True)
class PatientAxes:
    """Array axes along the patient's left, posterior and superior directions.

    Attributes:
        axes: array axis of the preprocessed (transposed) volume for each patient axis.
        signs: +1 where the array index grows towards left / posterior / superior, else -1.
        known: False where the image has no patient orientation (2D files); the axes are then a convention.
    """

    axes: tuple[_Axis, _Axis, _Axis]
    signs: tuple[_Sign, _Sign, _Sign]
    known: bool = True

    @property
    def left_right(self) -> int:
        """The left-right axis of the array."""
        return self.axes[0]

    def backwards_in(self, volume: Frame) -> set[int]:
        """Array axes along which another volume runs the other way along the patient.

        Args:
            volume: frame of that volume (nnunet_reportseg.frames.patient_frame), or of a part of it.
        """
        expected = enumerate(zip(self.axes, self.signs, strict=True))
        return {axis for row, (axis, sign) in expected if sign * volume[row, axis] < 0}


def patient_axes(properties: Mapping[str, Any], transpose_forward: Sequence[int]) -> PatientAxes:
    """Patient axes of a preprocessed case.

    Args:
        properties: nnU-Net's properties of the case (``sitk_stuff`` or ``nibabel_stuff``).
        transpose_forward: of the plans.

    Returns:
        The axes; ``known=False`` without an orientation in three dimensions.
    """
    if "sitk_stuff" in properties and len(properties["sitk_stuff"]["direction"]) == 9:
        rows = np.asarray(properties["sitk_stuff"]["direction"], dtype=np.float64).reshape(3, 3)
    elif "nibabel_stuff" in properties:
        stuff = properties["nibabel_stuff"]
        affine = np.asarray(stuff.get("reoriented_affine", stuff["original_affine"]), dtype=np.float64)
        rows = np.diag((-1.0, -1.0, 1.0)) @ affine[:3, :3]  # nibabel: RAS
        rows = rows / np.linalg.norm(rows, axis=0, keepdims=True)
    else:
        return PatientAxes((2, 1, 0), (1, 1, 1), known=False)
    return _axes_of_direction(rows, transpose_forward)


def _axes_of_direction(rows: NDArray[np.float64], transpose_forward: Sequence[int]) -> PatientAxes:
    """Axes from a direction matrix: rows left, posterior, superior; columns image axes x, y, z."""
    best = max(permutations(range(3)), key=lambda order: sum(abs(rows[row, i]) for row, i in enumerate(order)))
    transpose = list(transpose_forward)
    left, posterior, superior = (transpose.index(2 - i) for i in best)
    signs = [1 if rows[row, i] >= 0 else -1 for row, i in enumerate(best)]
    return PatientAxes((left, posterior, superior), (signs[0], signs[1], signs[2]))


def properties_of_file(file: Path, reader_name: str, *, case: str | None = None) -> dict[str, Any]:
    """Orientation of an image file from its header alone, as nnU-Net's reader would put it into the properties.

    Args:
        file: the image.
        reader_name: ``image_reader_writer`` of the plans.
        case: its case, for the message.

    Returns:
        Properties for :func:`patient_axes`; empty for readers of images without orientation.

    Raises:
        GeometryError: the header cannot be read.
    """
    try:
        return _header(file, reader_name)
    except reading_errors() as error:
        raise GeometryError.about(
            f"the image header cannot be read ({reason(error)})",
            case=case,
            file=file,
            fix="check the file; it may be damaged",
        ) from error


def _header(file: Path, reader_name: str) -> dict[str, Any]:
    reorients = reader_name.endswith("WithReorient")
    if reader_name.startswith("Nibabel"):
        import nibabel

        image: Any = nibabel.load(file)  # type: ignore[attr-defined]
        require_volume(len(image.shape), max(1, len(image.get_data_dtype())))
        affine = np.asarray(image.affine)
        if reorients:
            affine = np.diag(np.append(np.linalg.norm(affine[:3, :3], axis=0), 1.0))
        return {"nibabel_stuff": {"original_affine": affine}}
    if reader_name.startswith("SimpleITK"):
        import SimpleITK as sitk

        reader = sitk.ImageFileReader()
        reader.SetFileName(path_for_reader(file))
        reader.ReadImageInformation()
        require_volume(reader.GetDimension(), reader.GetNumberOfComponents())
        direction = reader.GetDirection()
        if reorients and len(direction) == 9:  # nnU-Net reorients to ITK's "RAS": axes towards R, A, S
            direction = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
        return {"sitk_stuff": {"direction": direction}}
    return {}


def common_left_right_axis(axes_of_case: Mapping[str, PatientAxes], folder: Path) -> int | None:
    """The left-right array axis that all cases share.

    Args:
        axes_of_case: by case id.
        folder: of the cases, for the message.

    Returns:
        The axis, or None when no case has an orientation.

    Raises:
        GeometryError: the cases differ; names cases of both kinds.
    """
    by_axis: dict[int | None, list[str]] = {}
    for case, axes in axes_of_case.items():
        by_axis.setdefault(axes.left_right if axes.known else None, []).append(case)
    if len(by_axis) > 1:
        ordered = sorted(by_axis.items(), key=lambda item: -len(item[1]))
        groups = "; ".join(
            f"{'no orientation' if axis is None else f'array axis {axis}'}: {', '.join(sorted(cases)[:5])}"
            f"{' ...' if len(cases) > 5 else ''} ({len(cases)} cases)"
            for axis, cases in ordered
        )
        raise GeometryError.about(
            f"the left-right axis is not the same array axis in all cases ({groups}); nnU-Net does not reorient, so "
            "one rule for mirroring cannot hold for all",
            case=min(ordered[-1][1]),
            file=folder,
            fix="reorient the images and labels to one orientation, for example SimpleITK.DICOMOrient(image, 'LPS'), "
            "and preprocess again",
        )
    return next(iter(by_axis), None)
