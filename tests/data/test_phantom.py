"""The phantom keeps its promises: reports, findings and voxels agree, and test cases are paired."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.data.phantom_wording import TEST_WORDING, TRAINING_WORDING
from nnunet_reportseg.errors import DatasetError
from tests.data.reading import Dataset, physical_centroid, site_of_sentence


@pytest.fixture(scope="module")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset(write_phantom(tmp_path_factory.mktemp("raw"), num_training=16, num_test_volumes=5, seed=3))


def test_folder_follows_nnunet(phantom: Dataset) -> None:
    assert phantom.folder.name == "Dataset501_ReportPhantom"
    dataset = phantom.json("dataset.json")
    assert dataset["numTraining"] == 16 == len(list((phantom.folder / "imagesTr").glob("*_0000.nii.gz")))
    assert dataset["labels"] == {"background": 0, "finding": [1, 2, 3, 4]}
    assert dataset["regions_class_order"] == [1]
    assert set(phantom.training_cases) == {p.name[:-7] for p in (phantom.folder / "labelsTr").iterdir()}
    assert set(phantom.test_cases) == {p.name[:-7] for p in (phantom.folder / "labelsTs").iterdir()}


def test_every_finding_lies_where_its_sentence_says(phantom: Dataset) -> None:
    for split, cases in (("Tr", phantom.training_cases), ("Ts", phantom.test_cases)):
        for case, entry in cases.items():
            label = phantom.image(f"labels{split}/{case}.nii.gz")
            values = set(np.unique(sitk.GetArrayFromImage(label))) - {0}
            assert values == {v for finding in entry["findings"] for v in finding["label_values"]}
            for finding in entry["findings"]:
                assert entry["report"].count(finding["text"]) == 1
                (value,) = finding["label_values"]
                x, _, z = physical_centroid(label, value)
                # The origin is the middle of the patient; in LPS x grows to the left and z to superior.
                assert ("left" if x > 0 else "right", "upper" if z > 0 else "lower") == site_of_sentence(
                    finding["text"]
                )


def test_described_lesions_look_like_lesions_in_lung(phantom: Dataset) -> None:
    for case in phantom.training_cases:
        hu = sitk.GetArrayFromImage(phantom.image(f"imagesTr/{case}_0000.nii.gz"))
        label = sitk.GetArrayFromImage(phantom.image(f"labelsTr/{case}.nii.gz"))
        assert hu[label > 0].mean() > -350
        assert -900 < np.median(hu[(hu < -600) & (hu > -930)]) < -800


def test_lesions_of_a_volume_have_equal_size_and_different_sites(phantom: Dataset) -> None:
    for name, volume in phantom.json("phantom.json")["volumes"].items():
        lesions = volume["lesions"]
        assert 2 <= len(lesions) <= 4
        assert len({(lesion["side"], lesion["level"]) for lesion in lesions}) == len(lesions)
        assert len({lesion["voxels"] for lesion in lesions}) == 1
        assert lesions[0]["voxels"] >= 25
        if volume["split"] == "test":
            lesion_map = sitk.GetArrayFromImage(phantom.image(f"lesionsTs/{name}.nii.gz"))
            for lesion in lesions:
                assert (lesion_map == lesion["value"]).sum() == lesion["voxels"]
                assert lesion_map[tuple(lesion["centre_voxel"])] == lesion["value"]


def test_training_describes_all_lesions_in_half_of_the_volumes(phantom: Dataset) -> None:
    lesions = {name: v["lesions"] for name, v in phantom.json("phantom.json")["volumes"].items() if name[:2] == "tr"}
    described = {name: len(phantom.training_cases[name]["findings"]) for name in lesions}
    assert sum(described[name] == len(lesions[name]) for name in lesions) == 8
    assert all(1 <= described[name] <= len(lesions[name]) for name in lesions)


def test_reports_deny_sites_with_and_without_a_lesion_but_never_a_described_one(phantom: Dataset) -> None:
    denied_lesion = denied_empty = 0
    volumes = phantom.json("phantom.json")["volumes"]
    for case, entry in phantom.training_cases.items():
        present = {(lesion["side"], lesion["level"]): lesion["value"] for lesion in volumes[case]["lesions"]}
        others = set(phantom.sentences(entry)) - phantom.finding_texts(entry)
        denied = {site for sentence in others if (site := site_of_sentence(sentence))}
        assert not [site for site in denied if present.get(site, 0) > 0]
        denied_lesion += sum(site in present for site in denied)
        denied_empty += sum(site not in present for site in denied)
    assert denied_lesion > 0
    assert denied_empty > 0


def test_cases_of_a_test_volume_share_every_voxel_and_ask_for_different_lesions(phantom: Dataset) -> None:
    by_volume: dict[str, list[tuple[str, int]]] = {}
    for case, pair in phantom.json("phantom.json")["test_cases"].items():
        by_volume.setdefault(pair["volume"], []).append((case, pair["described"]))
    for volume, cases in by_volume.items():
        lesions = sitk.GetArrayFromImage(phantom.image(f"lesionsTs/{volume}.nii.gz"))
        assert {value for _, value in cases} == set(np.unique(lesions)) - {0}
        images = [phantom.image(f"imagesTs/{case}_0000.nii.gz") for case, _ in cases]
        for image in images[1:]:
            np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(images[0]))
        for case, value in cases:
            target = sitk.GetArrayFromImage(phantom.image(f"labelsTs/{case}.nii.gz"))
            np.testing.assert_array_equal(target, lesions == value)


def test_training_and_test_share_no_wording(phantom: Dataset) -> None:
    for field in ("positives", "denials", "fillers"):
        assert not set(getattr(TRAINING_WORDING, field)) & set(getattr(TEST_WORDING, field))
    training = {s for entry in phantom.training_cases.values() for s in phantom.sentences(entry)}
    test = {s for entry in phantom.test_cases.values() for s in phantom.sentences(entry)}
    assert len(training) > 30
    assert not training & test
    assert len(TRAINING_WORDING.positives) >= 12
    assert len(TEST_WORDING.positives) >= 6


def digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_seed_decides_everything(tmp_path: Path) -> None:
    first, again, other = (
        digest(write_phantom(tmp_path / str(i), num_training=3, num_test_volumes=1, seed=seed))
        for i, seed in enumerate((5, 5, 6))
    )
    assert first == again
    assert first["imagesTr/train_000_0000.nii.gz"] != other["imagesTr/train_000_0000.nii.gz"]


def test_more_cases_keep_the_first_ones(tmp_path: Path) -> None:
    few = digest(write_phantom(tmp_path / "few", num_training=2, num_test_volumes=1))
    more = digest(write_phantom(tmp_path / "more", num_training=4, num_test_volumes=2))
    for name in ("imagesTr/train_001_0000.nii.gz", "labelsTr/train_001.nii.gz", "lesionsTs/test_000.nii.gz"):
        assert few[name] == more[name]


def test_geometry_is_written(tmp_path: Path) -> None:
    folder = write_phantom(
        tmp_path, num_training=1, num_test_volumes=1, shape=(20, 44, 48), spacing_mm=(6, 5, 4), lesions=(3, 3)
    )
    image = sitk.ReadImage(str(folder / "imagesTr" / "train_000_0000.nii.gz"))
    label = sitk.ReadImage(str(folder / "labelsTr" / "train_000.nii.gz"))
    assert image.GetSize() == (48, 44, 20)
    assert image.GetSpacing() == pytest.approx((4, 5, 6))
    assert image.GetDirection() == pytest.approx((1, 0, 0, 0, 1, 0, 0, 0, 1))
    assert (label.GetSpacing(), label.GetOrigin(), label.GetSize()) == (
        image.GetSpacing(),
        image.GetOrigin(),
        image.GetSize(),
    )
    assert len(json.loads((folder / "phantom.json").read_text())["volumes"]["train_000"]["lesions"]) == 3


def test_an_existing_dataset_is_not_overwritten(tmp_path: Path) -> None:
    folder = write_phantom(tmp_path, num_training=1, num_test_volumes=0)
    before = digest(folder)
    with pytest.raises(DatasetError, match=r"Dataset501_ReportPhantom.*another id"):
        write_phantom(tmp_path, name="Other")
    assert digest(folder) == before


def test_a_failed_run_leaves_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no room"):
        write_phantom(tmp_path, shape=(6, 12, 12))
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_fails_at_its_end_leaves_no_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("nnunet_reportseg.data.raw_dataset_writer._write_json", fail)
    with pytest.raises(OSError, match="disk full"):
        write_phantom(tmp_path, num_training=1, num_test_volumes=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [{"lesions": (1, 4)}, {"lesions": (3, 2)}, {"lesions": (2, 5)}, {"num_training": 0}, {"dataset_id": 1000},
     {"spacing_mm": (0, 1, 1)}, {"spacing_mm": (math.nan, 8, 8)}, {"spacing_mm": (10, math.inf, 8)}, {"seed": -1},
     {"name": "a b"}, {"shape": (0, 40, 40)}, {"shape": (2000, 2000, 2000)}, {"shape": (16, -40, -40)}],
)  # fmt: skip
def test_arguments_out_of_range_are_refused(tmp_path: Path, options: dict) -> None:
    with pytest.raises(DatasetError, match=r"found: .*Fix:"):
        write_phantom(tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_lesion_that_is_larger_than_the_volume_is_refused_before_it_is_drawn(tmp_path: Path) -> None:
    # Its box would have 50 million slices.
    with pytest.raises(DatasetError, match=r"no room for a lesion of radius .*Fix:"):
        write_phantom(tmp_path, shape=(10, 10_000, 10_000), spacing_mm=(0.01, 1000, 1000))
