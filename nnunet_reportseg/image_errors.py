"""What image readers raise for a file that they cannot read: each library that nnU-Net reads with has its own types."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.text_file import unusable_character

if TYPE_CHECKING:
    from torch import Tensor

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 24  # bytes
_SIZE_BYTES = 4  # of the size at the end of a gzip file


def reading_errors() -> tuple[type[Exception], ...]:
    """The types to catch around reading an image or its header."""
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    # nnU-Net's readers assert the number of dimensions and take the spacing of a TIFF from the JSON file beside it.
    # zlib and EOF come from damaged .gz files.
    of_python = (RuntimeError, OSError, ValueError, AssertionError, LookupError, TypeError, EOFError)
    return (*of_python, zlib.error, ImageFileError, HeaderDataError)


def path_for_reader(file: Path) -> str:
    """The path as text, for a reader written in C++: SimpleITK ends the whole process where it is not UTF-8.

    Raises:
        ValueError: The path is not UTF-8; it is one of the `reading_errors`.
    """
    character = unusable_character(str(file))
    if character is not None:
        raise ValueError(f"the path holds {character}, so it is not UTF-8")
    return str(file)


def require_volume(axes: int, numbers: int, *, allowed: Collection[int] = (2, 3)) -> None:
    """Refuse what the header of an image says it to be, where that is no volume (or picture) of single numbers.

    Args:
        axes: of the image; several channels in one file are a further one.
        numbers: per voxel; a colour has three.
        allowed: numbers of axes.

    Raises:
        ValueError: It is something else; it is one of the `reading_errors`.
    """
    if axes not in allowed or numbers != 1:
        raise ValueError(
            f"no volume with one number per voxel: {axes} dimensions, {numbers} numbers per voxel; write one file per "
            "channel"
        )


def require_whole(file: Path) -> None:
    """Read a compressed file to its end.

    SimpleITK takes one that ends too early for one whose rest is zeros.

    Raises:
        EOFError: It ends too early; this and what damaged files raise are `reading_errors`.
    """
    with file.open("rb") as raw:
        if raw.read(len(_GZIP)) != _GZIP:  # whatever its name is
            return
        raw.seek(0)
        with gzip.open(raw) as stream:
            while stream.read(_PIECE):
                pass


def require_whole_images(files: Iterable[Path | str], *, case: str) -> None:
    """Read the images of a case to their ends, where they are compressed.

    Raises:
        DatasetError: One ends too early, or is gone.
    """
    for file in map(Path, files):
        try:
            require_whole(file)
        except reading_errors() as error:
            raise DatasetError.about(
                f"the image cannot be read ({reason(error)})", case=case, file=file, fix="copy the file again"
            ) from error


def require_stated_sizes(files: Iterable[Path | str], *, case: str) -> None:
    """Refuse compressed NIfTI images of a case that end too early, without reading those that do not.

    The last four bytes of a gzip file are the size of what it holds (RFC 1952), which the header in it states too. Only
    where the two differ is the file read to its end: it may have been packed in several parts.

    Raises:
        DatasetError: One ends too early, or is gone.
    """
    require_whole_images([file for file in map(Path, files) if _may_end_early(file)], case=case)


def _may_end_early(file: Path) -> bool:
    """Whether the size at the end of a gzip file is another one than its NIfTI header says."""
    import nibabel

    try:
        with file.open("rb") as raw:
            if raw.read(len(_GZIP)) != _GZIP:
                return False
            raw.seek(-_SIZE_BYTES, os.SEEK_END)
            held = int.from_bytes(raw.read(), "little")
        image = nibabel.nifti1.load(file)
        stated = image.dataobj.offset + math.prod(image.shape) * image.get_data_dtype().itemsize
    except reading_errors():
        return True
    return bool(held != stated % 2 ** (8 * _SIZE_BYTES))


def require_numbers(data: Tensor, *, case: str) -> None:
    """Refuse a preprocessed image with values that are no numbers: what tiles that hold one become is chance.

    Raises:
        DatasetError: a value is NaN or infinite. nnU-Net's own check is of training images only
            (verify_dataset_integrity.check_cases).
    """
    import torch

    if not bool(torch.isfinite(data).all()):
        raise DatasetError.about(
            "the image has values that are no numbers (NaN or infinite)",
            case=case,
            fix="write a value that makes sense for the image in their place, such as that of air",
        )


def reason(error: Exception) -> str:
    """The last line of an error's message, which says what happened; SimpleITK puts its own source files before it."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
