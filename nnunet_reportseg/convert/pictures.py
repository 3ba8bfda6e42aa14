"""2D pictures of a case, as PNG: the one lossless format that nnU-Net's reader of natural images and others share.

A grey PNG is linked or copied as it is. A colour picture becomes grey, since one channel is declared, and a JPEG is
decoded; both are noted in ``conversion.json``. Masks become 0 and 1: all above 0 is foreground, as LViT reads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nnunet_reportseg.convert.case import CaseTarget, Converted
from nnunet_reportseg.convert.volumes import place_file
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg")
_GREY = ("L", "I;16", "I")  # what nnU-Net reads as one channel


def convert_pictures(target: CaseTarget, *, case: str, image: Path, mask: Path, entry: CaseEntry) -> Converted:
    """Put picture and mask of a case into place.

    Args:
        target: Where they go; the ending is ``.png``.
        case: Case identifier, for messages.
        image: PNG or JPEG.
        mask: PNG or JPEG of the same size.
        entry: The case's entry in the sidecar.

    Raises:
        DatasetError: A file cannot be read, or sizes differ.
    """
    picture, outline = _open(image, case), _open(mask, case)
    if picture.size != outline.size:
        raise DatasetError.about(
            f"image and mask differ in size: {picture.size} and {outline.size}",
            case=case,
            file=mask,
            value=outline.size,
            fix="fetch both of the same release",
        )
    notes = []
    if picture.format == "PNG" and picture.mode in _GREY:
        place_file(image, target.image(), copy=target.copy)
    else:
        grey, note = _grey(picture)
        grey.save(target.image(), format="PNG")
        notes.append(f"image: {picture.format}, {note}, written as grey PNG")
    foreground = (_pixels(outline) > 0).astype(np.uint8)
    _from_pixels(foreground).save(target.label, format="PNG")
    return Converted(entry, frozenset(np.unique(foreground[foreground > 0]).tolist()), tuple(notes))


def find_picture(folder: Path, stem: str) -> Path | None:
    """The picture of this name in a folder, with any of the `PICTURE_ENDINGS`; ``None`` where there is none."""
    for ending in PICTURE_ENDINGS:
        if (folder / f"{stem}{ending}").is_file():
            return folder / f"{stem}{ending}"
    return None


def _open(file: Path, case: str) -> Any:
    from PIL import Image

    try:
        with Image.open(file) as image:
            image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetError.about(
            f"not a readable picture ({error})", case=case, file=file, fix="fetch the file again"
        ) from error


def _grey(picture: Any) -> tuple[Any, str]:
    if picture.mode in _GREY:
        return picture, "decoded"
    colours = np.asarray(picture.convert("RGB"))
    if (colours == colours[..., :1]).all():
        return _from_pixels(np.ascontiguousarray(colours[..., 0])), "three equal channels"
    return picture.convert("RGB").convert("L"), "colour to luminance (ITU-R 601)"


def _pixels(picture: Any) -> np.ndarray:
    """The mask's pixels in one channel: a colour, or an index into a palette, counts by its brightness."""
    return np.asarray(picture if picture.mode in _GREY else picture.convert("RGB").convert("L"))


def _from_pixels(pixels: np.ndarray) -> Any:
    from PIL import Image

    return Image.fromarray(pixels)
