"""Each task of the phantom can be solved by the one property that it is about, and by nothing else."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.data.phantom_anatomy import HEART_HU
from nnunet_reportseg.data.phantom_chest import LIVER_HU, build_chest, draw_patient
from nnunet_reportseg.dataset_check import check_dataset
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.evaluation.paired import blind_ceiling_equal
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from tests.data.reading import Dataset
from tests.data.test_phantom import digest

NEW_TASKS = ("laterality", "size", "negation")
MIRRORED = ("laterality", "negation")
PLACE = re.compile(r"\b(left|right|upper|lower|lobe|side)\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    raw = tmp_path_factory.mktemp("raw")
    return {
        task: Dataset(write_phantom(raw, dataset_id=i, name=task, task=task, num_training=24, num_test_volumes=8))
        for i, task in enumerate(NEW_TASKS, start=601)
    }


def volumes(dataset: Dataset) -> dict[str, list[dict]]:
    return {name: entry["lesions"] for name, entry in dataset.json("phantom.json")["volumes"].items()}


def array(dataset: Dataset, name: str) -> np.ndarray:
    return sitk.GetArrayFromImage(dataset.image(name))


@pytest.mark.parametrize("task", NEW_TASKS)
def test_the_dataset_is_valid_and_its_manifest_names_the_task(datasets: dict[str, Dataset], task: str) -> None:
    assert check_dataset(datasets[task].folder) == []
    assert datasets[task].json("phantom.json")["task"] == task
    assert datasets[task].json("dataset.json")["labels"] == {"background": 0, "finding": [1, 2]}
    assert {len(lesions) for lesions in volumes(datasets[task]).values()} == {2}


@pytest.mark.parametrize("task", MIRRORED)
def test_two_equal_lesions_are_mirror_images(datasets: dict[str, Dataset], task: str) -> None:
    middles = set()
    for name, (left, right) in volumes(datasets[task]).items():
        assert (left["side"], right["side"], left["level"]) == ("left", "right", right["level"])
        assert left["centre_voxel"][:2] == right["centre_voxel"][:2]
        assert left["voxels"] == right["voxels"]
        if name.startswith("test"):
            lesions = array(datasets[task], f"lesionsTs/{name}.nii.gz")
            mirror = left["centre_voxel"][2] + right["centre_voxel"][2]
            z, y, x = np.nonzero(lesions == 1)
            assert set(zip(z, y, mirror - x, strict=True)) == set(zip(*np.nonzero(lesions == 2), strict=True))
            # The spine lies on the midline and is the only thing that bright.
            spine = np.nonzero(array(datasets[task], f"imagesTs/{name}_r1_0000.nii.gz") > 210)[2]
            assert mirror / 2 == pytest.approx(spine.mean(), abs=0.1)
            middles.add((mirror, tuple(left["centre_voxel"])))
    assert len(middles) == 8


def test_the_anatomy_is_mirror_symmetric_but_for_heart_and_liver() -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        chest = build_chest((24, 44, 91), draw_patient((24, 44, 91), rng))
        x = np.arange(91)
        x = x[(chest.mirror - x >= 0) & (chest.mirror - x < 91)]
        here, there = chest.hu[..., x], chest.hu[..., chest.mirror - x]
        differs = here != there
        one_sided = np.isin(here, (HEART_HU, LIVER_HU)) | np.isin(there, (HEART_HU, LIVER_HU))
        assert differs.any()
        assert not (differs & ~one_sided).any()
        left, right = x > chest.mirror / 2, x < chest.mirror / 2
        assert (here == LIVER_HU)[..., right].sum() > 50 * (here == LIVER_HU)[..., left].sum()
        assert (here == HEART_HU)[..., left].sum() > (here == HEART_HU)[..., right].sum()
        assert np.nonzero((here == LIVER_HU).any(axis=(1, 2)))[0].max() < 24 / 4


@pytest.mark.parametrize("task", NEW_TASKS)
def test_cases_of_a_volume_share_every_voxel_and_ask_for_different_lesions(
    datasets: dict[str, Dataset], task: str
) -> None:
    dataset = datasets[task]
    cases = dataset.json("phantom.json")["test_cases"]
    for volume in {case["volume"] for case in cases.values()}:
        own = [case for case, entry in cases.items() if entry["volume"] == volume]
        assert [cases[case]["described"] for case in own] == [1, 2]
        assert len({(dataset.folder / "imagesTs" / f"{case}_0000.nii.gz").read_bytes() for case in own}) == 1
        lesions = array(dataset, f"lesionsTs/{volume}.nii.gz")
        for case in own:
            label = array(dataset, f"labelsTs/{case}.nii.gz")
            np.testing.assert_array_equal(label, lesions == cases[case]["described"])


def test_the_ceilings_are_those_of_two_lesions(datasets: dict[str, Dataset]) -> None:
    for task in MIRRORED:
        assert PairedTestSet(datasets[task].folder).blind_ceiling() == pytest.approx(blind_ceiling_equal(2), abs=1e-6)
    # One mask cannot be both: it takes the smaller lesion whole and the rest from the larger, or the larger alone.
    assert 0.5 < PairedTestSet(datasets["size"].folder).blind_ceiling() < 2 / 3


def test_laterality_reports_name_the_side_of_the_lesion_and_no_level(datasets: dict[str, Dataset]) -> None:
    dataset, sides = datasets["laterality"], Counter()
    for case, entry in dataset.test_cases.items():
        volume, value = case.rsplit("_r", 1)
        (finding,) = entry["findings"]
        (side,) = set(re.findall(r"\b(left|right)\b", finding["text"]))
        assert side == volumes(dataset)[volume][int(value) - 1]["side"]
        assert not re.search(r"\b(upper|lower)\b", entry["report"])
        sides[side] += 1
    assert sides["left"] == sides["right"]
    described = [len(entry["findings"]) for entry in dataset.training_cases.values()]
    assert described[::2] == [2] * 12
    assert described[1::2] == [1] * 12


def test_sizes_are_clearly_different_and_lie_anywhere(datasets: dict[str, Dataset]) -> None:
    diameters: dict[str, list[float]] = {"small": [], "large": []}
    sites, first = Counter(), Counter()
    for one, two in volumes(datasets["size"]).values():
        assert {one["size"], two["size"]} == {"small", "large"}
        assert (one["side"], one["level"]) != (two["side"], two["level"])
        large, small = (one, two) if one["size"] == "large" else (two, one)
        assert large["voxels"] >= 2 * small["voxels"]
        for lesion in (one, two):
            diameters[lesion["size"]].append(lesion["diameter_mm"])
            sites[lesion["size"], lesion["side"], lesion["level"]] += 1
        first[one["size"]] += 1
    assert max(diameters["small"]) * 1.25 < min(diameters["large"])
    assert len(sites) == 8
    assert 8 <= first["large"] <= 24


def test_size_reports_speak_of_the_size_and_never_of_the_place(datasets: dict[str, Dataset]) -> None:
    dataset, stated = datasets["size"], 0
    for case, entry in {**dataset.test_cases, **dataset.training_cases}.items():
        assert not PLACE.search(entry["report"]), entry["report"]
        lesions = volumes(dataset)[case.rsplit("_r", 1)[0]]
        for number, finding in enumerate(entry["findings"], start=1):
            value = int(case.rsplit("_r", 1)[1]) if "_r" in case else number
            (lesion,) = (lesion for lesion in lesions if lesion["value"] == value)
            ranks = re.findall(r"\b(larger|bigger|smaller)\b", finding["text"])
            assert [rank == "smaller" for rank in ranks] == [lesion["size"] == "small"]
            for diameter in re.findall(r"(\d+) mm", finding["text"]):
                stated += 1
                assert abs(int(diameter) - lesion["diameter_mm"]) <= 0.56  # both are rounded
    assert stated > 5


def test_negation_reports_name_both_and_the_target_is_the_persisting_one(datasets: dict[str, Dataset]) -> None:
    dataset = datasets["negation"]
    manifest = dataset.json("phantom.json")["test_cases"]
    for case, entry in dataset.test_cases.items():
        described, other = int(case[-1]), 3 - int(case[-1])
        lesions = volumes(dataset)[case[:-3]]
        there = {tuple(finding["label_values"]): finding["text"] for finding in entry["findings"]}
        assert set(there) == {(1,), ()}
        assert f"{lesions[described - 1]['side']}" in there[(1,)]
        assert f"{lesions[other - 1]['side']}" in there[()]
        (denied,) = manifest[case]["denied"]
        assert (manifest[case]["described"], denied["value"]) == (described, other)
        assert (denied["side"], denied["level"]) == (lesions[other - 1]["side"], lesions[other - 1]["level"])


def test_negation_training_has_every_pair_of_states_equally_often(datasets: dict[str, Dataset]) -> None:
    dataset, states = datasets["negation"], Counter()
    for case, entry in dataset.training_cases.items():
        label = array(dataset, f"labelsTr/{case}.nii.gz")
        shown = {value for finding in entry["findings"] for value in finding["label_values"]}
        assert set(np.unique(label)) - {0} == shown
        by_side = {
            re.search(r"\b(left|right)\b", finding["text"]).group(): bool(finding["label_values"])
            for finding in entry["findings"]
        }
        assert len(entry["findings"]) == 2
        states[by_side["left"], by_side["right"]] += 1
        assert [lesion["value"] > 0 for lesion in volumes(dataset)[case]] == [by_side["left"], by_side["right"]]
    assert states == {(a, b): 6 for a in (True, False) for b in (True, False)}


@pytest.mark.parametrize("task", NEW_TASKS)
def test_the_seed_decides_everything(tmp_path: Path, task: str) -> None:
    first, again, other = (
        digest(write_phantom(tmp_path / str(i), task=task, num_training=2, num_test_volumes=1, seed=seed))
        for i, seed in enumerate((5, 5, 6))
    )
    assert first == again
    assert first["imagesTr/train_000_0000.nii.gz"] != other["imagesTr/train_000_0000.nii.gz"]


@pytest.mark.parametrize(
    "options",
    [{"task": "sise"}, {"task": "size", "lesions": (2, 4)}, {"task": "negation", "lesions": (3, 3)},
     {"task": "laterality", "shape": (4, 40, 40)}, {"task": "size", "shape": (10, 10_000, 10_000),
      "spacing_mm": (0.01, 1000, 1000)}],
)  # fmt: skip
def test_options_that_do_not_fit_the_task_are_refused(tmp_path: Path, options: dict) -> None:
    with pytest.raises(DatasetError, match=r"found: .*Fix:"):
        write_phantom(tmp_path, **options)
    assert list(tmp_path.iterdir()) == []
