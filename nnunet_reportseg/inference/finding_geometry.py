"""Where a finding lies and how large it is, from its mask file; with SimpleITK, in mm of the patient (LPS)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import SimpleITK as sitk


def describe_mask(file: Path) -> dict[str, Any]:
    """Describe a mask of 0 and 1.

    Args:
        file: NIfTI file.

    Returns:
        ``volume_ml``; ``components`` (voxels that share a face, edge or corner are one); and, None where the mask is
        empty, ``centroid_mm`` (left, posterior, superior), ``extent_mm`` along the image's axes, and ``side``: "left"
        or "right" of the middle of the image. ``empty`` tells whether it is.
    """
    image = sitk.Cast(sitk.ReadImage(str(file)) != 0, sitk.sitkUInt8)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(image)
    if not shape.HasLabel(1):
        nowhere = {"centroid_mm": None, "extent_mm": None, "side": None}
        return {"empty": True, "volume_ml": 0.0, "components": 0, **nowhere}
    components = sitk.ConnectedComponentImageFilter()
    components.FullyConnectedOn()
    components.Execute(image)
    centroid = shape.GetCentroid(1)
    size = shape.GetBoundingBox(1)[image.GetDimension() :]
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    return {
        "empty": False,
        "volume_ml": shape.GetPhysicalSize(1) / 1000,
        "components": components.GetObjectCount(),
        "centroid_mm": list(centroid),
        "extent_mm": [n * spacing for n, spacing in zip(size, image.GetSpacing(), strict=True)],
        "side": "left" if centroid[0] > middle[0] else "right",
    }
