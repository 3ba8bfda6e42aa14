"""The implants keep the phantom's promises in any orientation, and refuse what they cannot use by name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from nnunet_reportseg.data.ct_volume import physical_axis
from nnunet_reportseg.data.implants import write_implants
from nnunet_reportseg.data.implants_lungs import find_lungs
from nnunet_reportseg.data.implants_nodules import read_nodules
from nnunet_reportseg.data.implants_paste import render
from nnunet_reportseg.dataset_check import check_dataset
from nnunet_reportseg.errors import DatasetError
from tests.data.reading import Dataset, physical_centroid, site_of_sentence
from tests.data.synthetic_ct import TABLE_HEADER, chest, write_chest, write_nodules
from tests.data.test_phantom import digest

ORIENTATIONS = ("LPS", "RAS", "ASL", "SRP")


@pytest.fixture(scope="module")
def nodules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_nodules(tmp_path_factory.mktemp("nodules"))


@pytest.fixture(scope="module", params=ORIENTATIONS)
def implants(request: pytest.FixtureRequest, nodules: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp(request.param)
    ct = write_chest(folder / "ct.nii.gz", orientation=request.param)
    return Dataset(write_implants(folder, volumes=[ct], nodules=nodules, num_training=6, num_test_volumes=3))


def test_every_finding_lies_where_its_sentence_says(implants: Dataset) -> None:
    for split, cases in (("Tr", implants.training_cases), ("Ts", implants.test_cases)):
        for case, entry in cases.items():
            label = implants.image(f"labels{split}/{case}.nii.gz")
            values = set(np.unique(sitk.GetArrayFromImage(label))) - {0}
            assert values == {v for finding in entry["findings"] for v in finding["label_values"]}
            for finding in entry["findings"]:
                (value,) = finding["label_values"]
                x, _, z = physical_centroid(label, value)
                found = ("left" if x > 0 else "right", "upper" if z > 0 else "lower")
                assert found == site_of_sentence(finding["text"])
                assert abs(z) > 15  # mm: the middle zone of a lung of some 175 mm stays free


def test_dataset_passes_the_check(implants: Dataset) -> None:
    assert [p for p in check_dataset(implants.folder) if p.severity == "error"] == []


def test_geometry_is_that_of_the_input(implants: Dataset) -> None:
    source = sitk.ReadImage(str(implants.folder.parent / "ct.nii.gz"))
    for name in ("imagesTr/train_000_0000", "labelsTr/train_000", "imagesTs/test_000_r1_0000", "lesionsTs/test_000"):
        image = implants.image(f"{name}.nii.gz")
        assert image.GetSize() == source.GetSize()
        assert image.GetSpacing() == pytest.approx(source.GetSpacing())
        assert image.GetOrigin() == pytest.approx(source.GetOrigin())
        assert image.GetDirection() == pytest.approx(source.GetDirection())


def test_nodules_are_bright_in_lung_and_nothing_else_changes(implants: Dataset) -> None:
    source = sitk.GetArrayFromImage(sitk.ReadImage(str(implants.folder.parent / "ct.nii.gz"))).astype(float)
    for name in ("test_000", "test_001", "test_002"):
        image = sitk.GetArrayFromImage(implants.image(f"imagesTs/{name}_r1_0000.nii.gz")).astype(float)
        lesions = sitk.GetArrayFromImage(implants.image(f"lesionsTs/{name}.nii.gz"))
        assert source[lesions > 0].max() < -700
        assert (image - source)[lesions > 0].mean() > 400
        rim = ndimage.binary_dilation(lesions > 0, iterations=3)
        np.testing.assert_array_equal(image[~rim], source[~rim])
        # The wall in the cut-outs has 700 HU: nothing of it may arrive.
        assert image[rim].max() < 200


def test_the_rim_fades_out(implants: Dataset) -> None:
    source = sitk.GetArrayFromImage(sitk.ReadImage(str(implants.folder.parent / "ct.nii.gz"))).astype(float)
    change = sitk.GetArrayFromImage(implants.image("imagesTs/test_000_r1_0000.nii.gz")) - source
    inside = sitk.GetArrayFromImage(implants.image("lesionsTs/test_000.nii.gz")) > 0
    steps = [ndimage.binary_dilation(inside, iterations=n) for n in (1, 2, 3)]
    means = [change[inside].mean(), change[steps[0] & ~inside].mean(), change[steps[1] & ~steps[0]].mean()]
    assert means[0] > 2 * means[1] > 4 * means[2]
    assert np.abs(change[steps[2] & ~steps[1]]).max() < 60


def test_cases_of_a_test_volume_share_every_voxel(implants: Dataset) -> None:
    by_volume: dict[str, list[str]] = {}
    for case, pair in implants.json("implants.json")["test_cases"].items():
        by_volume.setdefault(pair["volume"], []).append(case)
        lesions = sitk.GetArrayFromImage(implants.image(f"lesionsTs/{pair['volume']}.nii.gz"))
        target = sitk.GetArrayFromImage(implants.image(f"labelsTs/{case}.nii.gz"))
        np.testing.assert_array_equal(target, lesions == pair["described"])
    for cases in by_volume.values():
        files = [implants.folder / "imagesTs" / f"{case}_0000.nii.gz" for case in cases]
        assert len(files) >= 2
        assert len({file.read_bytes() for file in files}) == 1


def test_no_patient_gives_nodules_to_training_and_test(implants: Dataset) -> None:
    used: dict[str, set[int]] = {"training": set(), "test": set()}
    for volume in implants.json("implants.json")["volumes"].values():
        numbers = [int(lesion["nodule"][1:3]) for lesion in volume["lesions"]]
        assert len(set(numbers)) == len(numbers)
        used[volume["split"]].update(number // 2 for number in numbers)
    assert used["training"]
    assert used["test"]
    assert not used["training"] & used["test"]


def test_reported_size_is_that_of_the_nodule(implants: Dataset) -> None:
    stated = 0
    for case, entry in implants.training_cases.items():
        label = implants.image(f"labelsTr/{case}.nii.gz")
        voxel = np.prod(label.GetSpacing())
        lesions = {n["value"]: n for n in implants.json("implants.json")["volumes"][case]["lesions"]}
        for finding in entry["findings"]:
            (value,) = finding["label_values"]
            volume = (sitk.GetArrayFromImage(label) == value).sum() * voxel
            assert (6 * volume / np.pi) ** (1 / 3) == pytest.approx(lesions[value]["diameter_mm"], rel=0.15)
            if "mm" in finding["text"]:
                stated += 1
                assert f"{round(lesions[value]['diameter_mm'])} mm" in finding["text"]
    assert stated > 0


@pytest.mark.parametrize("orientation", [*ORIENTATIONS, "LAI"])
def test_left_and_right_lung_come_from_patient_space(orientation: str) -> None:
    image = sitk.DICOMOrient(chest(), orientation)
    lungs = find_lungs(image, Path("ct"))
    x = physical_axis(image, 0)
    assert x[lungs["left"]].min() > 0 > x[lungs["right"]].max()
    # The heart takes its room from the left lung.
    assert lungs["left"].sum() < lungs["right"].sum()


def test_resampling_keeps_the_patient_in_place(nodules: Path, tmp_path: Path) -> None:
    ct = write_chest(tmp_path / "ct.nii.gz")
    folder = write_implants(
        tmp_path, volumes=[ct], nodules=nodules, num_training=1, num_test_volumes=0, spacing_mm=(7, 6, 5.5)
    )
    image = sitk.ReadImage(str(folder / "imagesTr" / "train_000_0000.nii.gz"))
    assert image.GetSpacing() == pytest.approx((5.5, 6, 7))
    assert image.GetOrigin() == pytest.approx(chest().GetOrigin())
    before, after = (physical_axis(i, 0)[find_lungs(i, ct)["right"]].mean() for i in (chest(), image))
    assert after == pytest.approx(before, abs=2)


def test_several_volumes_are_divided_between_training_and_test(nodules: Path, tmp_path: Path) -> None:
    (tmp_path / "cts").mkdir()
    for i in range(3):
        write_chest(tmp_path / "cts" / f"ct{i}.nii.gz", seed=i)
    folder = write_implants(tmp_path, volumes=[tmp_path / "cts"], nodules=nodules, num_training=4, num_test_volumes=2)
    manifest = Dataset(folder).json("implants.json")
    sources = {
        split: {v["source"] for v in manifest["volumes"].values() if v["split"] == split}
        for split in ("training", "test")
    }
    assert {len(sources["training"]), len(sources["test"])} == {2, 1}
    assert not sources["training"] & sources["test"]
    assert manifest["volumes_shared"] is False
    assert list(manifest["volumes"]) == sorted(manifest["volumes"])


def test_the_seed_decides_everything(nodules: Path, tmp_path: Path) -> None:
    ct = write_chest(tmp_path / "ct.nii.gz")
    first, again, other = (
        digest(
            write_implants(
                tmp_path / str(i), volumes=[ct], nodules=nodules, num_training=2, num_test_volumes=1, seed=seed
            )
        )
        for i, seed in enumerate((5, 5, 6))
    )
    assert first == again
    assert first["imagesTr/train_000_0000.nii.gz"] != other["imagesTr/train_000_0000.nii.gz"]


def cropped_chest(path: Path) -> tuple[Path, Path]:
    """A CT cut inside the lungs, where the threshold cannot tell lung from outside, and the mask of its lungs."""
    image = chest()
    mask = sitk.GetImageFromArray(np.any([*find_lungs(image, path).values()], axis=0).astype(np.uint8))
    mask.CopyInformation(image)
    (path / "lungs").mkdir()
    for whole, target in ((image, path / "ct.nii.gz"), (mask, path / "lungs" / "ct.nii.gz")):
        sitk.WriteImage(whole[12:52, 18:46, :], str(target))
    return path / "ct.nii.gz", path / "lungs"


def test_a_lung_mask_replaces_the_threshold(nodules: Path, tmp_path: Path) -> None:
    ct, lungs = cropped_chest(tmp_path)
    options = {"volumes": [ct], "nodules": nodules, "num_training": 2, "num_test_volumes": 0}
    with pytest.raises(DatasetError, match=r"ct\.nii\.gz.*no two lungs"):
        write_implants(tmp_path, **options)
    folder = write_implants(tmp_path, lungs=lungs, **options)
    assert Dataset(folder).training_cases.keys() == {"train_000", "train_001"}


def test_a_volume_without_lungs_is_refused_and_nothing_is_left(nodules: Path, tmp_path: Path) -> None:
    image = chest()
    image = sitk.Maximum(image, sitk.Cast(image < -950, sitk.sitkInt16) * -1100)  # fill the lungs, keep the outside
    sitk.WriteImage(image, str(tmp_path / "belly.nii.gz"))
    with pytest.raises(DatasetError, match=r"belly\.nii\.gz.*no two lungs.*Fix"):
        write_implants(tmp_path / "raw", volumes=[tmp_path / "belly.nii.gz"], nodules=nodules)
    assert list((tmp_path / "raw").iterdir()) == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"header": [name for name in TABLE_HEADER if name != "Margin"]}, r"column Margin missing"),
        ({"Texture": "Fluffy"}, r"Texture of n00\.nii\.gz.*Fluffy"),
        ({"eq_diam_mm": "big"}, r"eq_diam_mm of n00\.nii\.gz.*big"),
        ({"eq_diam_mm": "nan"}, r"eq_diam_mm of n00\.nii\.gz.*found: 'nan'"),
        ({"eq_diam_mm": "inf"}, r"eq_diam_mm of n00\.nii\.gz.*found: 'inf'"),
        ({"eq_diam_mm": "-8"}, r"eq_diam_mm of n00\.nii\.gz.*found: '-8'"),
        ({"eq_diam_mm": ""}, r"nodules\.csv: line 2 has no eq_diam_mm"),
        ({"file": "n00.nii.gz"}, r"nodules\.csv: line 3 names a nodule again.*n00\.nii\.gz"),
        ({"patient_id": "same"}, r"one patient"),
    ],
)
def test_a_bad_table_is_refused_by_name(tmp_path: Path, table: dict, message: str) -> None:
    ct = write_chest(tmp_path / "ct.nii.gz")
    with pytest.raises(DatasetError, match=message):
        write_implants(tmp_path, volumes=[ct], nodules=write_nodules(tmp_path / "n", count=4, **table))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"nodules\.csv: the nodule table cannot be read.*Fix: give a folder"),
        (b"", r"nodules\.csv: column file, .* missing"),
        (",".join(TABLE_HEADER).encode(), r"nodules\.csv: the nodule table has no rows"),
        (",".join(TABLE_HEADER).encode("utf-16"), r"nodules\.csv: the nodule table looks like UTF-16"),
        ("Größe".encode("latin1"), r"nodules\.csv: the nodule table is not UTF-8 at byte 2"),
        (",".join(TABLE_HEADER).encode() + b"\nn00.nii.gz,p0", r"nodules\.csv: line 2 has no eq_diam_mm, Texture"),
        (b'"' + b"x" * 200_000 + b'"', r"nodules\.csv: the nodule table is not CSV"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    folder = write_nodules(tmp_path, count=2)
    (folder / "nodules.csv").unlink()
    if content is not None:
        (folder / "nodules.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_nodules(folder)


def test_a_table_with_byte_order_mark_is_read(tmp_path: Path) -> None:
    table = write_nodules(tmp_path, count=2) / "nodules.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    assert len(read_nodules(tmp_path)) == 2


def _changed(image: sitk.Image, *, shift: float) -> sitk.Image:
    image.SetOrigin([part + shift for part in image.GetOrigin()])
    return image


@pytest.mark.parametrize(
    ("sub", "change", "message"),
    [
        ("mask", lambda image: image[1:], r"differ in size: \(36, 37, 17\) and \(37, 37, 17\)"),
        ("mask", lambda image: _changed(image, shift=5), "differ in origin"),
        ("mask", lambda image: image * 0, "the mask is empty"),
        ("mask", lambda image: sitk.Cast(image, sitk.sitkInt16) * -1, "the mask is empty"),
        ("mask", lambda image: sitk.Compose(image, image), r"several channels \(found: 2\)"),
        ("image", lambda image: image[:, :, 3], "not a 3D image"),
        ("image", lambda image: sitk.Cast(image, sitk.sitkFloat32) / 0, "voxels are NaN or infinite"),
    ],
)
def test_a_nodule_that_cannot_be_used_is_refused_by_file(tmp_path: Path, sub: str, change, message: str) -> None:
    folder = write_nodules(tmp_path, count=2)
    # NRRD, as ITK reads NIfTI without NaN and infinity.
    for name in ("image", "mask"):
        image = sitk.ReadImage(str(folder / name / "n01.nii.gz"))
        sitk.WriteImage(change(image) if name == sub else image, str(folder / name / "n01.nrrd"))
    table = folder / "nodules.csv"
    table.write_text(table.read_text().replace("n01.nii.gz", "n01.nrrd"))
    with pytest.raises(DatasetError, match=rf"{sub}/n01\.nrrd: .*{message}.*Fix:"):
        read_nodules(folder)


@pytest.mark.parametrize("sub", ["image", "mask"])
def test_a_nodule_whose_file_is_missing_is_refused(tmp_path: Path, sub: str) -> None:
    folder = write_nodules(tmp_path, count=2)
    (folder / sub / "n01.nii.gz").unlink()
    with pytest.raises(DatasetError, match=rf"{sub}/n01\.nii\.gz: not a readable image.*Fix:"):
        read_nodules(folder)


def test_a_nodule_that_is_larger_than_the_volume_is_not_used(tmp_path: Path) -> None:
    folder = write_nodules(tmp_path, count=2)
    for sub in ("image", "mask"):
        image = sitk.ReadImage(str(folder / sub / "n01.nii.gz"))
        image.SetSpacing((1e4, 1e4, 1e4))  # on the grid of the volume it would have 2e12 voxels
        sitk.WriteImage(image, str(folder / sub / "n01.nii.gz"))
    usual, huge = (render(nodule, chest()) for nodule in read_nodules(folder))
    assert usual is not None
    assert huge is None


@pytest.mark.skipif(sys.platform == "darwin", reason="file names are always UTF-8")
def test_a_path_that_is_not_utf8_is_refused(nodules: Path, tmp_path: Path) -> None:
    # Handed to SimpleITK, it would end the process.
    ct = write_chest(tmp_path / "ct.nii.gz")
    odd = tmp_path / "caf\udce9.nii.gz"
    ct.rename(odd)
    with pytest.raises(DatasetError, match=r"not a readable image \(the path holds U\+DCE9"):
        write_implants(tmp_path / "raw", volumes=[odd], nodules=nodules)
    with pytest.raises(DatasetError, match="the path is not UTF-8"):
        write_implants(tmp_path / "r\udce9w", volumes=[odd], nodules=nodules)


def test_a_lung_mask_on_another_grid_is_refused(nodules: Path, tmp_path: Path) -> None:
    ct, lungs = cropped_chest(tmp_path)
    sitk.WriteImage(_changed(sitk.ReadImage(str(lungs / ct.name)), shift=9), str(lungs / ct.name))
    with pytest.raises(DatasetError, match=r"lungs/ct\.nii\.gz: the mask and its image differ in origin.*Fix:"):
        write_implants(tmp_path, volumes=[ct], nodules=nodules, lungs=lungs)


def test_a_spacing_too_fine_for_the_memory_is_refused(nodules: Path, tmp_path: Path) -> None:
    ct = write_chest(tmp_path / "ct.nii.gz")
    with pytest.raises(DatasetError, match=r"ct\.nii\.gz: a volume of more than .*Fix:"):
        write_implants(tmp_path / "raw", volumes=[ct], nodules=nodules, spacing_mm=(0.05, 0.05, 0.05))
    assert list((tmp_path / "raw").iterdir()) == []


def test_a_volume_named_twice_counts_once(nodules: Path, tmp_path: Path) -> None:
    ct = write_chest(tmp_path / "ct.nii.gz")
    folder = write_implants(
        tmp_path, volumes=[ct, tmp_path / "." / ct.name], nodules=nodules, num_training=1, num_test_volumes=1
    )
    assert Dataset(folder).json("implants.json")["volumes_shared"] is True


def test_nodules_that_are_too_small_or_too_large_are_refused(nodules: Path, tmp_path: Path) -> None:
    ct = write_chest(tmp_path / "ct.nii.gz")
    with pytest.raises(DatasetError, match=r"keep 500 voxels.*min-voxels"):
        write_implants(tmp_path, volumes=[ct], nodules=nodules, min_voxels=500)
    small = sitk.ReadImage(str(ct))
    small.SetSpacing([step * 0.55 for step in small.GetSpacing()])
    sitk.WriteImage(small, str(tmp_path / "child.nii.gz"))
    with pytest.raises(DatasetError, match=r"child\.nii\.gz"):
        write_implants(tmp_path, volumes=[tmp_path / "child.nii.gz"], nodules=nodules)


@pytest.mark.parametrize("options", [{"lesions": (1, 4)}, {"num_training": 0}, {"spacing_mm": (0, 1, 1)}, {"seed": -1}])
def test_arguments_out_of_range_are_refused(nodules: Path, tmp_path: Path, options: dict) -> None:
    with pytest.raises(DatasetError, match="Fix:"):
        write_implants(tmp_path, volumes=[write_chest(tmp_path / "ct.nii.gz")], nodules=nodules, **options)


def test_missing_volumes_are_refused(nodules: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere.*Fix"):
        write_implants(tmp_path, volumes=[tmp_path / "nowhere"], nodules=nodules)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"no image in the folder"):
        write_implants(tmp_path, volumes=[tmp_path / "empty"], nodules=nodules)
    (tmp_path / "text.nii.gz").write_text("no image")
    with pytest.raises(DatasetError, match=r"text\.nii\.gz.*not a readable image"):
        write_implants(tmp_path, volumes=[tmp_path / "text.nii.gz"], nodules=nodules)
