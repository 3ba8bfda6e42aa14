"""2D phantoms: a picture with another value in every pixel, and a mask that no mirroring maps to itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def grey_pixels() -> np.ndarray:
    return (np.arange(12 * 17).reshape(12, 17) % 251).astype(np.uint8)


def mask_pixels(value: int = 255) -> np.ndarray:
    mask = np.zeros((12, 17), np.uint8)
    mask[2:5, 1:3] = value
    mask[2, 9] = value
    return mask


def write_picture(file: Path, pixels: np.ndarray) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return file


def read_as_nnunet(file: Path) -> np.ndarray:
    """Channels of a picture as nnU-Net's reader gives them, (C, 1, Y, X)."""
    from nnunetv2.imageio.natural_image_reader_writer import NaturalImage2DIO

    return NaturalImage2DIO().read_images([str(file)])[0]
