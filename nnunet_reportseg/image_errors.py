"""What nnU-Net's image readers raise for a file that they cannot read: each library behind them has its own types."""

from __future__ import annotations

import zlib


def reading_errors() -> tuple[type[Exception], ...]:
    """The types to catch around reading an image or its header."""
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    # nnU-Net's readers assert the number of dimensions; zlib and EOF come from damaged .gz files.
    return (RuntimeError, OSError, ValueError, AssertionError, EOFError, zlib.error, ImageFileError, HeaderDataError)


def reason(error: Exception) -> str:
    """The last line of an error's message, which says what happened; SimpleITK puts its own source files before it."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
