"""The implants on real CT and real nodules. Skipped where the data is absent.

Chest CT: `lung2` of pyradiomics 3.0.1. Nodules: LIDC-IDRI (doi 10.7937/K9/TCIA.2015.LO9QL9SX, CC BY 3.0).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.data.ct_volume import physical_axis, read_image, resample
from nnunet_reportseg.data.implants import write_implants
from nnunet_reportseg.data.implants_lungs import find_lungs
from nnunet_reportseg.dataset_check import check_dataset
from nnunet_reportseg.errors import DatasetError
from tests.data.reading import Dataset, physical_centroid, site_of_sentence
from tests.real_data import CHEST_CT, DATA, NODULES, needs

SPACING = (5.0, 2.5, 2.5)

pytestmark = needs(CHEST_CT, NODULES)


@pytest.fixture(scope="module")
def host() -> sitk.Image:
    return resample(read_image(CHEST_CT), SPACING)


@pytest.fixture(scope="module")
def implants(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = write_implants(
        tmp_path_factory.mktemp("raw"),
        volumes=[CHEST_CT],
        nodules=NODULES,
        num_training=4,
        num_test_volumes=2,
        spacing_mm=SPACING,
    )
    return Dataset(folder)


def test_lungs_have_plausible_volumes_on_their_sides(host: sitk.Image) -> None:
    lungs = find_lungs(host, CHEST_CT)
    millilitres = {side: lung.sum() * np.prod(host.GetSpacing()) / 1000 for side, lung in lungs.items()}
    assert 2000 < millilitres["right"] < 2800
    # A mass of 48 ml and a raised stomach take from the left lung.
    assert 1200 < millilitres["left"] < 2000
    x = physical_axis(host, 0)
    assert x[lungs["left"]].mean() > x[lungs["right"]].mean() + 100
    hu = sitk.GetArrayFromImage(host)
    assert all(-850 < hu[lung].mean() < -700 for lung in lungs.values())
    # The airway is left out: hardly any pure air in the lungs.
    assert all((hu[lung] < -985).mean() < 0.005 for lung in lungs.values())


def test_the_left_mass_lies_beside_the_left_lung() -> None:
    image = read_image(CHEST_CT)
    tumour = sitk.GetArrayFromImage(read_image(DATA / "ct_volumes" / "chest_ct_a_tumour.nii.gz")) > 0
    lungs = find_lungs(image, CHEST_CT)
    x = physical_axis(image, 0)
    assert abs(x[tumour].mean() - x[lungs["left"]].mean()) < abs(x[tumour].mean() - x[lungs["right"]].mean())


def test_findings_lie_in_the_lung_half_that_the_sentence_names(implants: Dataset, host: sitk.Image) -> None:
    lungs = find_lungs(host, CHEST_CT)
    height = physical_axis(host, 2)
    for split, cases in (("Tr", implants.training_cases), ("Ts", implants.test_cases)):
        for case, entry in cases.items():
            label = implants.image(f"labels{split}/{case}.nii.gz")
            array = sitk.GetArrayFromImage(label)
            for finding in entry["findings"]:
                (value,) = finding["label_values"]
                side, level = site_of_sentence(finding["text"])
                assert lungs[side][array == value].all()
                middle = (height[lungs[side]].min() + height[lungs[side]].max()) / 2
                assert (physical_centroid(label, value)[2] > middle) == (level == "upper")


def test_nodules_raise_hu_in_lung_and_keep_the_rest(implants: Dataset, host: sitk.Image) -> None:
    before = sitk.GetArrayFromImage(host).astype(float)
    for name in ("test_000", "test_001"):
        image = implants.image(f"imagesTs/{name}_r1_0000.nii.gz")
        assert image.GetSize() == host.GetSize()
        assert image.GetSpacing() == pytest.approx(host.GetSpacing())
        assert image.GetOrigin() == pytest.approx(host.GetOrigin())
        after = sitk.GetArrayFromImage(image).astype(float)
        lesions = sitk.GetArrayFromImage(implants.image(f"lesionsTs/{name}.nii.gz"))
        for value in set(np.unique(lesions)) - {0}:
            assert before[lesions == value].mean() < -600
            assert (after - before)[lesions == value].mean() > 150
            assert (lesions == value).sum() >= 20
        assert (after != before).sum() < 8 * (lesions > 0).sum()


def test_dataset_passes_the_check(implants: Dataset) -> None:
    assert [p for p in check_dataset(implants.folder) if p.severity == "error"] == []


@pytest.mark.parametrize("name", ["abdomen_ct_b_512", "abdomen_ct_a"])
def test_an_abdomen_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match=rf"{name}\.nii\.gz.*no two lungs"):
        write_implants(tmp_path, volumes=[DATA / "ct_volumes" / f"{name}.nii.gz"], nodules=NODULES)
