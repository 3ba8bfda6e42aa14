"""An asymmetric phantom: three marked voxels no symmetry maps to each other, on a grid with permuted, flipped axes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK as sitk

SHAPE = (7, 9, 5)  # (X, Y, Z) of the file
# First axis to inferior, second to left, third to posterior, slightly rotated: nothing is the identity.
_AXES = np.array([[0, -0.8, 0], [0, 0, -2.5], [-1.5, 0, 0]], float)
_ANGLE = np.deg2rad(7)
_TURN = np.array([[np.cos(_ANGLE), -np.sin(_ANGLE), 0], [np.sin(_ANGLE), np.cos(_ANGLE), 0], [0, 0, 1]])
AFFINE = np.eye(4)
AFFINE[:3, :3] = _TURN @ _AXES
AFFINE[:3, 3] = (31, -17, 205)

MARKS = {(1, 2, 1): 700, (5, 2, 1): 800, (1, 7, 3): 900}  # HU by voxel


def ct_voxels(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """HU with the marks, and another value in every voxel."""
    voxels = (np.arange(np.prod(shape)).reshape(shape) % 400 - 1000).astype(np.int16)
    for place, value in MARKS.items():
        voxels[place] = value
    return voxels


def mask_voxels(values: dict[tuple[int, int, int], int]) -> np.ndarray:
    """A label map with some voxels."""
    voxels = np.zeros(SHAPE, np.uint8)
    for place, value in values.items():
        voxels[place] = value
    return voxels


def write_nifti(file: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), file)
    return file


def positions(file: Path, value: int) -> np.ndarray:
    """Places in the patient (RAS, mm) of the voxels with a value, by nibabel."""
    image = nibabel.load(file)
    voxels = np.argwhere(np.asarray(image.dataobj) == value)
    return nibabel.affines.apply_affine(image.affine, voxels)


def positions_sitk(file: Path, value: int) -> np.ndarray:
    """The same by SimpleITK, as nnU-Net's reader sees the file; RAS too."""
    image = sitk.ReadImage(str(file))
    indices = np.argwhere(sitk.GetArrayFromImage(image) == value)[:, ::-1]
    points = [image.TransformIndexToPhysicalPoint([int(i) for i in index]) for index in indices]
    return np.array(points) * (-1, -1, 1)


def assert_same_places(image: Path, source: Path) -> None:
    """Each mark lies where it lay, for both readers, and no voxel has changed."""
    for value in MARKS.values():
        wanted = positions(source, value)
        assert len(wanted) == 1
        np.testing.assert_allclose(positions(image, value), wanted, atol=1e-4)
        np.testing.assert_allclose(positions_sitk(image, value), wanted, atol=1e-3)
    np.testing.assert_array_equal(nibabel.load(image).get_fdata(), nibabel.load(source).get_fdata())


def assert_label_at(label: Path, value: int, ct: Path, marks: list[int]) -> None:
    """The voxels of a label value are the marked voxels of the CT, in the patient."""
    wanted = np.concatenate([positions(ct, mark) for mark in marks])
    for found in (positions(label, value), positions_sitk(label, value)):
        assert found.shape == wanted.shape
        order, wanted_order = np.lexsort(found.round(2).T), np.lexsort(wanted.round(2).T)
        np.testing.assert_allclose(found[order], wanted[wanted_order], atol=1e-3)


def read_json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))
