"""One slice, two reports, two masks."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import SimpleITK as sitk

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar

LUNG_WINDOW = (-1000.0, 300.0)


def draw_overview(tests: PairedTestSet, predictions: Path, file: Path) -> None:
    """Draw two test cases with the same image side by side.

    Args:
        tests: the paired test set.
        predictions: folder with the predicted masks.
        file: PNG to write.
    """
    pair = choose_pair(tests)
    sidecar = Sidecar.load(tests.folder / "imagesTs" / SIDECAR_NAME)
    image = sitk.ReadImage(str(tests.folder / "imagesTs" / f"{pair[0]}_0000.nii.gz"))
    hu, spacing = radiological(image)
    lesions, _ = radiological(tests.lesion_image(pair[0]))
    level = best_slice(lesions, [tests.described[case] for case in pair])
    figure, grid = plt.subplots(2, 2, figsize=(11, 5.6), height_ratios=(0.02, 4), facecolor="white")
    for column, case in enumerate(pair):
        text, axis = grid[:, column]
        text.axis("off")
        report = " ".join((sidecar.report_text(case) or "").split())
        text.text(0, 0, textwrap.fill(report, 74), fontsize=9, va="bottom", transform=text.transAxes)
        axis.imshow(hu[level], cmap="gray", vmin=LUNG_WINDOW[0], vmax=LUNG_WINDOW[1], aspect=spacing[1] / spacing[0])
        mask = radiological(sitk.ReadImage(str(predictions / f"{case}.nii.gz")))[0][level] > 0
        overlay = np.zeros((*mask.shape, 4))
        overlay[mask] = (1.0, 0.35, 0.1, 0.6)
        axis.imshow(overlay, aspect=spacing[1] / spacing[0], interpolation="nearest")
        for value in np.unique(lesions[level])[1:]:
            own = value == tests.described[case]
            _outline(axis, lesions[level] == value, "#37d67a" if own else "#b8bcc2", "solid" if own else "dotted")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.text(0.02, 0.98, "R", transform=axis.transAxes, color="white", va="top", fontsize=12)
        axis.text(0.98, 0.98, "L", transform=axis.transAxes, color="white", va="top", ha="right", fontsize=12)
    figure.text(
        0.5,
        0.02,
        "orange: predicted mask    green: the lesion that the report describes    dotted: the other lesions",
        ha="center",
        fontsize=9,
    )
    figure.subplots_adjust(left=0.01, right=0.99, top=0.98, bottom=0.06, wspace=0.04, hspace=0.02)
    figure.savefig(file, dpi=110, bbox_inches="tight", pad_inches=0.15)
    plt.close(figure)


def radiological(image: sitk.Image) -> tuple[np.ndarray, tuple[float, ...]]:
    """Axial slices (z, y, x) with the patient's right on the left, and the spacing (x, y, z), however it was stored."""
    image = sitk.DICOMOrient(image, "LPS")
    return sitk.GetArrayFromImage(image), image.GetSpacing()


def _outline(axis: Axes, mask: np.ndarray, colour: str, style: str) -> None:
    """Draw the border of a mask along voxel edges."""
    padded = np.pad(mask, 1)
    style_of_line: dict[str, Any] = {"color": colour, "linestyle": style, "linewidth": 1.6}
    for row, column in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]):
        axis.plot((column - 0.5, column + 0.5), (row - 0.5, row - 0.5), **style_of_line)
    for row, column in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]):
        axis.plot((column - 0.5, column - 0.5), (row - 0.5, row + 0.5), **style_of_line)


def choose_pair(tests: PairedTestSet) -> tuple[str, str]:
    """Two cases of one volume whose described lesions share a slice best (the larger the smaller cross-section)."""
    best: tuple[float, tuple[str, str]] | None = None
    for case in tests.described:
        lesions, _ = radiological(tests.lesion_image(case))
        for other in tests.siblings(case):
            if other <= case:
                continue
            values = [tests.described[case], tests.described[other]]
            level = best_slice(lesions, values)
            shared = float(min((lesions[level] == value).sum() for value in values))
            if best is None or shared > best[0]:
                best = (shared, (case, other))
    if best is None:
        raise ValueError("no test volume has two cases")
    return best[1]


def best_slice(lesions: np.ndarray, values: list[int]) -> int:
    """The slice in which the smallest of these lesions is largest."""
    areas = np.stack([(lesions == value).sum(axis=(1, 2)) for value in values])
    return int(np.argmax(areas.min(axis=0) * 1000 + areas.sum(axis=0)))
