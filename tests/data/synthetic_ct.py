"""Made-up CTs and nodules, large enough for the implants and small enough for a quick test."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from nnunet_reportseg.data.phantom_anatomy import draw_anatomy

SPACING_XYZ = (5.0, 5.0, 6.0)
TABLE_HEADER = ["file", "patient_id", "eq_diam_mm", "Texture", "Margin", "Spiculation"]


def chest(seed: int = 0) -> sitk.Image:
    """Both lungs; the patient's middle lies at the origin of patient space."""
    rng = np.random.default_rng(seed)
    anatomy = draw_anatomy((32, 64, 64), rng)
    hu = np.maximum(anatomy.hu + rng.normal(0, 10, size=anatomy.hu.shape), -1024)
    image = sitk.GetImageFromArray(hu.astype(np.int16))
    image.SetSpacing(SPACING_XYZ)
    image.SetOrigin([-(n - 1) / 2 * step for n, step in zip(image.GetSize(), SPACING_XYZ, strict=True)])
    return image


def write_chest(path: Path, *, orientation: str = "LPS", seed: int = 0) -> Path:
    sitk.WriteImage(sitk.DICOMOrient(chest(seed), orientation), str(path))
    return path


def write_nodules(folder: Path, *, count: int = 24, header: list[str] | None = None, **columns: str) -> Path:
    """Bright balls of 19 to 26 mm next to a bright wall at the edge of each cut-out, which must not be copied."""
    header = header or TABLE_HEADER
    for sub in ("image", "mask"):
        (folder / sub).mkdir(parents=True)
    rows = []
    for index in range(count):
        radius = 9.5 + 3.5 * index / count
        z, y, x = np.meshgrid(*[np.arange(-n, n + 1) * s for n, s in ((8, 2.5), (18, 1), (18, 1))], indexing="ij")
        mask = np.sqrt(x**2 + y**2 + z**2) <= radius
        hu = np.where(mask, 30, -850)
        hu[:, :, :4] = 700
        for sub, values in (("image", hu.astype(np.int16)), ("mask", mask.astype(np.uint8))):
            image = sitk.GetImageFromArray(values)
            image.SetSpacing((1.0, 1.0, 2.5))
            image.SetOrigin((17.0, -40.0, 300.0))
            sitk.WriteImage(image, str(folder / sub / f"n{index:02d}.nii.gz"))
        row = {
            "file": f"n{index:02d}.nii.gz",
            "patient_id": f"p{index // 2:02d}",
            "eq_diam_mm": f"{2 * radius:.3f}",
            "Texture": "Solid",
            "Margin": "Sharp",
            "Spiculation": "Marked Spiculation" if index % 3 == 0 else "No Spiculation",
            **columns,
        }
        rows.append([row[name] for name in header])
    with (folder / "nodules.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return folder
