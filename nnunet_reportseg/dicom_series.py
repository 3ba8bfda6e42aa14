"""A folder with one DICOM series as a volume, by SimpleITK's GDCM series reader, after the series was checked.

The reader alone takes the gap between the first two slices for all and stacks whatever it is given, so gaps, several
series and a tilted gantry would give a volume in which places in the patient are wrong. Places of slices are those of
Image Position and Image Orientation (Patient), DICOM PS3.3 C.7.6.2; rescaling to HU is the reader's.
"""

from __future__ import annotations

import locale
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.image_errors import path_for_reader, reading_errors, reason
from nnunet_reportseg.text_file import unusable_character

_IO = "GDCMImageIO"
_POSITION, _ORIENTATION, _SERIES, _FRAMES = "0020|0032", "0020|0037", "0020|000e", "0028|0008"
_SPACING, _COLOURS = "0028|0030", "0028|0002"
_MARK, _MARK_START = b"DICM", 128  # of a DICOM file (PS3.10, 7.1)
_LARGEST_STEP_ERROR = 0.02  # of the step between slices: positions are written with few digits
_LARGEST_SHIFT = 0.02  # sideways from slice to slice, in steps: a tilt of about one degree


def case_folders(folder: Path) -> dict[str, Path]:
    """The folders in a folder, by name and sorted, without hidden ones: one for each case."""
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")}


def read_dicom_series(folder: Path, *, case: str) -> Any:
    """Read a series.

    Args:
        folder: A folder whose DICOM files are those of one series; other files in it are left alone.
        case: Case identifier, for messages.

    Returns:
        The volume as a SimpleITK image, in HU for CT.

    Raises:
        DatasetError: As `series_files`.
    """
    return read_series_files(series_files(folder, case=case), case=case)


def series_files(folder: Path, *, case: str) -> tuple[Path, ...]:
    """The files of a series, from the first slice to the last along the normal of the slices.

    Args:
        folder: A folder whose DICOM files are those of one series; other files in it are left alone.
        case: Case identifier, for messages.

    Raises:
        DatasetError: There is no DICOM file or more than one series, slices are missing, unevenly spaced, there twice
            or turned against each other, place or pixel spacing are not stated, pixels are coloured, the gantry was
            tilted, or a file is cut short or cannot be read.
    """
    import SimpleITK as sitk

    with _reading(folder, case):
        path = path_for_reader(folder)
        reader = sitk.ImageSeriesReader()
        names = {
            name for series in reader.GetGDCMSeriesIDs(path) for name in reader.GetGDCMSeriesFileNames(path, series)
        }
        slices = sorted((_Slice(Path(name)) for name in names), key=lambda one: one.file.name)
        _require_all_read(folder, {one.file.name for one in slices}, case)
        return tuple(_in_order(slices, folder, case))


def _require_all_read(folder: Path, read: set[str], case: str) -> None:
    """GDCM passes over files that are cut short: the volume would lose a slice, at an end without leaving a gap."""
    endings = {Path(name).suffix.lower() for name in read} - {""}
    for file in sorted(folder.iterdir()):
        if file.name in read or file.name.startswith(".") or file.name.upper() == "DICOMDIR" or not file.is_file():
            continue
        with file.open("rb") as stream:
            marked = stream.read(_MARK_START + len(_MARK))[_MARK_START:] == _MARK
        if marked or file.suffix.lower() in endings:
            raise _problem(
                "the file cannot be read as DICOM image (cut short or damaged)",
                case,
                file,
                fix="copy or export it again; take it out of the folder if it is no slice",
            )


def read_series_files(files: Sequence[Path], *, case: str) -> Any:
    """Read a series whose files were checked.

    Args:
        files: As `series_files` gives them.
        case: Case identifier, for messages.

    Returns:
        The volume as a SimpleITK image, in HU for CT; slice *k* of its last axis is file *k*.

    Raises:
        DatasetError: A file cannot be read.
    """
    import SimpleITK as sitk

    with _reading(files[0].parent, case):
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames([str(file) for file in files])
        return reader.Execute()


def holds_dicom(folder: Path) -> bool:
    """Whether a folder itself, not one in it, holds a DICOM file."""
    import SimpleITK as sitk

    io_of = sitk.ImageFileReader.GetImageIOFromFileName
    with locale_kept():
        return any(
            io_of(str(file)) == _IO
            for file in folder.iterdir()
            if file.is_file() and unusable_character(str(file)) is None
        )


@contextmanager
def _reading(folder: Path, case: str) -> Iterator[None]:
    try:
        with locale_kept():
            yield
    except reading_errors() as error:
        raise _problem(
            f"the DICOM series cannot be read ({reason(error)})", case, folder, fix="export the series again"
        ) from error


@contextmanager
def locale_kept() -> Iterator[None]:
    """GDCM sets the locale of the process to C, with which Python then reads text as ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


class _Slice:
    """What the header of a file says: series, number of frames, size, place, spacing and colours."""

    def __init__(self, file: Path) -> None:
        import SimpleITK as sitk

        reader = sitk.ImageFileReader()
        reader.SetImageIO(_IO)
        reader.SetFileName(str(file))
        reader.ReadImageInformation()

        def numbers(tag: str) -> NDArray[np.float64]:
            text = reader.GetMetaData(tag) if reader.HasMetaDataKey(tag) else ""
            return np.array([float(part) for part in text.split("\\") if part.strip()])

        self.file = file
        self.series: str = reader.GetMetaData(_SERIES).strip() if reader.HasMetaDataKey(_SERIES) else ""
        self.frames = int(numbers(_FRAMES)[0]) if numbers(_FRAMES).size else 1
        self.grid = (*reader.GetSize()[:2], *reader.GetSpacing()[:2])
        self.position, self.orientation = numbers(_POSITION), numbers(_ORIENTATION)
        self.spacing = numbers(_SPACING)
        self.colours = int(numbers(_COLOURS)[0]) if numbers(_COLOURS).size else 1

    @property
    def has_place(self) -> bool:
        """Whether the header says, in numbers, where the slice lies."""
        sizes = (self.position.size, self.orientation.size) == (3, 6)
        return sizes and bool(np.isfinite([*self.position, *self.orientation]).all())

    @property
    def has_spacing(self) -> bool:
        """Whether the header says how far apart pixels are; the reader takes 1 mm where it does not."""
        return self.spacing.size == 2 and bool((np.isfinite(self.spacing) & (self.spacing > 0)).all())


def _in_order(slices: list[_Slice], folder: Path, case: str) -> list[Path]:
    """Files from the first slice to the last, along the normal of the slices; refuses what is no even stack."""
    if not slices:
        raise _problem("there is no DICOM series in the folder", case, folder, fix="name a folder of DICOM files")
    first = slices[0]
    series = sorted({one.series for one in slices})
    if len(series) > 1:
        raise _problem(
            f"{len(series)} series are mixed in the folder", case, folder, series, fix="keep the files of one series"
        )
    for one in slices:
        if one.frames > 1 or not one.has_place:
            raise _problem(
                "the file is no single slice with position and orientation",
                case,
                one.file,
                fix="export the series as one file per slice (not multi-frame), with Image Position (Patient)",
            )
        if not one.has_spacing or one.colours != 1:
            raise _problem(
                "the file has no grey pixels of known spacing",
                case,
                one.file,
                f"Pixel Spacing {one.spacing.tolist()}, Samples per Pixel {one.colours}",
                fix="export the original series, with Pixel Spacing and not as a colour picture",
            )
        same = one.grid == first.grid and np.allclose(one.orientation, first.orientation, atol=1e-3)
        if not same:
            raise _problem(
                f"slices are mixed: size, spacing or orientation differ from {first.file.name}",
                case,
                one.file,
                one.grid,
                fix="keep the slices of one scan (no scouts, no reformations)",
            )
    if len(slices) < 2:
        raise _problem("there is one slice only", case, folder, fix="export the whole series")
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    ordered = sorted(slices, key=lambda one: float(one.position @ normal))
    _require_even_steps(ordered, normal, folder, case)
    return [one.file for one in ordered]


def _require_even_steps(ordered: list[_Slice], normal: NDArray[np.float64], folder: Path, case: str) -> None:
    moves = np.diff([one.position for one in ordered], axis=0)
    steps = moves @ normal
    usual = float(np.median(steps))
    for one, step in zip(ordered[1:], steps, strict=True):
        if step < 1e-3:
            raise _problem(
                "two slices lie at the same place", case, one.file, fix="keep one of them (one phase, one series)"
            )
        if abs(step - usual) > _LARGEST_STEP_ERROR * usual:
            raise _problem(
                f"the series has a gap: slices are {usual:.3f} mm apart, but {step:.3f} mm before this one",
                case,
                one.file,
                [round(float(number), 3) for number in one.position],
                fix="export the whole series again; slices are missing or of several scans",
            )
    sideways = np.linalg.norm(moves - np.outer(steps, normal), axis=1)
    if (sideways > _LARGEST_SHIFT * usual).any():
        degrees = float(np.degrees(np.arctan2(sideways.max(), usual)))
        raise _problem(
            f"the gantry was tilted by {degrees:.1f} degrees: slices do not lie straight above each other",
            case,
            folder,
            fix="correct the tilt first (for example with dcm2niix), and outline on the corrected volume",
        )


def _problem(problem: str, case: str, file: Path, value: object = None, *, fix: str) -> DatasetError:
    return DatasetError.about(problem, case=case, file=file, value=value, fix=fix)
