"""With a clear margin, a patch on a lesion shows lung and nothing that tells where in the chest it is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.data.phantom_anatomy import LUNG_HU, NOISE_HU
from nnunet_reportseg.errors import DatasetError
from tests.data.reading import Dataset

MARGIN = (7, 11, 11)
# The shapes that docs/data_generators.md recommends for this margin.
SHAPES = {"site": (36, 44, 92), "laterality": (24, 44, 92), "size": (40, 48, 98), "negation": (24, 44, 92)}
SPACING = (8, 4, 4)
SOFT_EDGE = ndimage.generate_binary_structure(3, 1)


def write(raw: Path, task: str, **options: object) -> Dataset:
    given: dict = {"num_training": 2, "num_test_volumes": 8, "shape": SHAPES[task], "spacing_mm": SPACING, **options}
    return Dataset(write_phantom(raw, task=task, clear_margin=MARGIN, **given))


def around(lesion: np.ndarray) -> np.ndarray:
    """Whatever lies within the margin of a voxel of the lesion; fails where that leaves the volume."""
    for axis, reach in enumerate(MARGIN):
        others = tuple(i for i in range(3) if i != axis)
        extent = np.nonzero(lesion.any(axis=others))[0]
        assert extent.min() >= reach
        assert extent.max() + reach < lesion.shape[axis]
    return ndimage.maximum_filter(lesion, size=[2 * reach + 1 for reach in MARGIN])


@pytest.mark.parametrize("task", SHAPES)
def test_around_every_lesion_the_image_shows_lung_only(tmp_path: Path, task: str) -> None:
    dataset = write(tmp_path, task)
    assert dataset.json("phantom.json")["clear_margin"] == list(MARGIN)
    places, sites = set(), set()
    for name, volume in dataset.json("phantom.json")["volumes"].items():
        if volume["split"] == "training":
            continue
        image = sitk.GetArrayFromImage(dataset.image(f"imagesTs/{name}_r1_0000.nii.gz"))
        lesions = sitk.GetArrayFromImage(dataset.image(f"lesionsTs/{name}.nii.gz"))
        for lesion in volume["lesions"]:
            own = lesions == lesion["value"]
            shown = image[around(own) & ~ndimage.binary_dilation(own, SOFT_EDGE)]
            assert np.abs(shown - LUNG_HU).max() < 7 * NOISE_HU
            assert np.abs(shown.mean() - LUNG_HU) < 2
            assert lesion["voxels"] >= 25
            places.add(tuple(lesion["centre_voxel"]))
            sites.add((lesion["side"], lesion["level"]))
    assert len(places) > 8
    assert len(sites) == 4


def test_a_shape_without_room_is_refused_with_one_that_has_room(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"clear margin of \(7, 11, 11\).*found: \(16, 40, 40\)") as caught:
        write(tmp_path, "laterality", shape=(16, 40, 40))
    assert list(tmp_path.iterdir()) == []
    named = re.search(r"--shape (\d+) (\d+) (\d+)", str(caught.value))
    assert named is not None
    z, y, x = (int(n) for n in named.groups())
    assert z * y * x < 150_000
    write(tmp_path, "laterality", shape=(z, y, x), num_test_volumes=2)


def test_a_margin_that_no_volume_can_hold_is_refused_without_a_search(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"Fix: choose a smaller --clear-margin"):
        write_phantom(tmp_path, task="size", clear_margin=(500, 500, 500))
    assert list(tmp_path.iterdir()) == []


def test_a_negative_margin_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"negative.*found: \(1, -1, 1\)"):
        write_phantom(tmp_path, clear_margin=(1, -1, 1))
