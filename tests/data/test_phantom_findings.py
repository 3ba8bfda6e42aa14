"""Volumes and labels of the task "findings": findings overlap, and the label values give each of them back."""

from __future__ import annotations

import multiprocessing.dummy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from nnunetv2.experiment_planning import verify_dataset_integrity as nnunet
from scipy import ndimage

from nnunet_reportseg.audit.datasets import folder_cases
from nnunet_reportseg.data.finding_kinds import Kind
from nnunet_reportseg.data.phantom import write_phantom
from nnunet_reportseg.data.phantom_anatomy import LUNG_HU, NOISE_HU
from nnunet_reportseg.data.phantom_overlap import DENSITY_HU
from nnunet_reportseg.dataset_check import check_dataset
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.evaluation.paired_dataset import PairedTestSet
from tests.data.reading import Dataset, physical_centroid, site_of_sentence
from tests.data.test_phantom import digest
from tests.data.test_phantom_margin import MARGIN, SOFT_EDGE, SPACING, around

SHAPE = (40, 48, 96)  # what docs/data_generators.md recommends for the margin


@dataclass(frozen=True)
class Shown:
    """A finding that a label shows."""

    case: str
    record: dict
    text: str
    mask: np.ndarray


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    raw = tmp_path_factory.mktemp("raw")
    return Dataset(write_phantom(raw, task="findings", num_training=24, num_test_volumes=12, seed=2))


def volumes(dataset: Dataset) -> dict[str, dict]:
    return dataset.json("phantom.json")["volumes"]


def array(dataset: Dataset, kind: str, case: str) -> np.ndarray:
    """Voxels of ``images`` or ``labels``."""
    split, channel = "Tr" if case.startswith("train") else "Ts", "_0000" if kind == "images" else ""
    return sitk.GetArrayFromImage(dataset.image(f"{kind}{split}/{case}{channel}.nii.gz"))


def shown(dataset: Dataset) -> Iterator[Shown]:
    for case, entry in {**dataset.training_cases, **dataset.test_cases}.items():
        label = array(dataset, "labels", case)
        records = {record["id"]: record for record in volumes(dataset)[case]["findings"]}
        for finding in entry["findings"]:
            if finding["label_values"]:
                mask = np.isin(label, finding["label_values"])
                yield Shown(case, records[finding["id"]], finding["text"], mask)


def pairs_at_a_site(dataset: Dataset) -> Iterator[tuple[Shown, Shown]]:
    """Nodule and opacity that a label shows at one site."""
    found = {(s.case, s.record["side"], s.record["level"], s.record["kind"]): s for s in shown(dataset)}
    for place in {key[:3] for key in found}:
        nodule, opacity = (found.get((*place, kind.value)) for kind in Kind)
        if nodule is not None and opacity is not None:
            yield nodule, opacity


def test_the_dataset_passes_our_check_and_that_of_nnunet(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_dataset(dataset.folder) == []
    threads = SimpleNamespace(get_context=lambda _: multiprocessing.dummy)  # starting a process takes seconds
    monkeypatch.setattr(nnunet, "multiprocessing", threads)
    nnunet.verify_dataset_integrity(str(dataset.folder), 1)
    content = dataset.json("dataset.json")
    largest = max(int(array(dataset, "labels", case).max()) for case in volumes(dataset))
    assert content["labels"] == {"background": 0, "finding": list(range(1, largest + 1))}
    assert content["regions_class_order"] == [1]
    assert {path.name for path in dataset.folder.iterdir() if path.is_dir()} == {
        "imagesTr", "labelsTr", "imagesTs", "labelsTs"
    }  # fmt: skip


def test_label_values_are_consecutive_and_give_each_ball_back(dataset: Dataset) -> None:
    balls: dict[str, set[str]] = {"nodule": set(), "opacity": set()}
    for finding in shown(dataset):
        record, voxels = finding.record, np.argwhere(finding.mask)
        assert len(voxels) == record["voxels"]
        assert voxels.mean(axis=0) == pytest.approx(record["centre_voxel"])
        balls[record["kind"]].add(str((voxels - record["centre_voxel"]).tolist()))
    assert [len(found) for found in balls.values()] == [1, 1]
    for case in volumes(dataset):
        values = set(np.unique(array(dataset, "labels", case))) - {0}
        assert values == set(range(1, len(values) + 1))
        listed = (v for s in volumes(dataset)[case]["findings"] for v in s["values"])
        assert values == set(listed)


def test_about_half_of_the_sites_have_both_kinds_which_overlap_in_part(dataset: Dataset) -> None:
    counts: Counter[int] = Counter()
    for volume in volumes(dataset).values():
        sites = Counter((finding["side"], finding["level"]) for finding in volume["findings"])
        assert 2 <= len(sites) <= 4
        counts.update(sites.values())
    assert set(counts) == {1, 2}
    assert 0.4 < counts[2] / counts.total() < 0.6
    overlapping = list(pairs_at_a_site(dataset))
    assert len(overlapping) > 20
    for nodule, opacity in overlapping:
        common = (nodule.mask & opacity.mask).sum()
        assert 0.25 < common / nodule.mask.sum() < 0.75
        assert opacity.mask.sum() > 2 * nodule.mask.sum()
    assert {np.sign(n.record["centre_voxel"][1] - o.record["centre_voxel"][1]) for n, o in overlapping} == {-1, 1}


def test_every_finding_has_a_value_of_its_own_and_shares_those_of_its_site_only(dataset: Dataset) -> None:
    for case in volumes(dataset):
        records = [r for r in volumes(dataset)[case]["findings"] if r["values"]]
        owners = Counter(value for record in records for value in record["values"])
        for record in records:
            assert sum(owners[value] == 1 for value in record["values"]) == 1
            others = [r for r in records if r is not record and set(r["values"]) & set(record["values"])]
            assert {(r["side"], r["level"]) for r in others} <= {(record["side"], record["level"])}


def test_kinds_differ_in_density_and_a_nodule_shows_through_an_opacity(dataset: Dataset) -> None:
    hu: dict[str, list[int]] = {"nodule": [], "opacity": [], "both": []}
    for nodule, opacity in pairs_at_a_site(dataset):
        image = array(dataset, "images", nodule.case)
        core = ndimage.binary_erosion(nodule.mask, SOFT_EDGE)
        hu["both"] += image[core & opacity.mask].tolist()
        hu["nodule"] += image[core & ~opacity.mask].tolist()
        hu["opacity"] += image[
            ndimage.binary_erosion(opacity.mask, SOFT_EDGE) & ~ndimage.binary_dilation(nodule.mask, SOFT_EDGE)
        ].tolist()
    assert np.mean(hu["both"]) == pytest.approx(DENSITY_HU[Kind.NODULE], abs=30)
    assert np.mean(hu["nodule"]) == pytest.approx(DENSITY_HU[Kind.NODULE], abs=30)
    assert np.mean(hu["opacity"]) == pytest.approx(DENSITY_HU[Kind.OPACITY], abs=30)
    assert LUNG_HU + 200 < DENSITY_HU[Kind.OPACITY] < DENSITY_HU[Kind.NODULE] - 200


def test_every_finding_lies_where_its_sentence_says(dataset: Dataset) -> None:
    for finding in shown(dataset):
        split = "Tr" if finding.case.startswith("train") else "Ts"
        label = dataset.image(f"labels{split}/{finding.case}.nii.gz")
        mask = sitk.GetImageFromArray(finding.mask.astype(np.uint8))
        mask.CopyInformation(label)
        x, _, z = physical_centroid(mask, 1)
        side, level = ("left" if x > 0 else "right", "upper" if z > 0 else "lower")
        assert (side, level) == site_of_sentence(finding.text) == (finding.record["side"], finding.record["level"])


def test_what_a_training_report_leaves_out_is_background(dataset: Dataset) -> None:
    left_out = 0
    described: dict[str, list[Shown]] = {}
    for finding in shown(dataset):
        described.setdefault(finding.case, []).append(finding)
    for case in dataset.training_cases:
        label = array(dataset, "labels", case)
        for record in volumes(dataset)[case]["findings"]:
            if record["id"] is None:
                centre = tuple(record["centre_voxel"])
                assert (label[centre] > 0) == any(finding.mask[centre] for finding in described[case])
                left_out += label[centre] == 0
    assert left_out > 5


def test_with_a_margin_a_patch_shows_lung_and_the_findings_of_one_site_only(tmp_path: Path) -> None:
    options = {"shape": SHAPE, "spacing_mm": SPACING, "clear_margin": MARGIN, "num_training": 1, "num_test_volumes": 6}
    dataset = Dataset(write_phantom(tmp_path, task="findings", **options))
    of_site: dict[tuple[str, str, str], list[Shown]] = {}
    for finding in shown(dataset):
        of_site.setdefault((finding.case, finding.record["side"], finding.record["level"]), []).append(finding)
    for (case, *_), here in of_site.items():
        everything = ndimage.binary_dilation(np.any([finding.mask for finding in here], axis=0), SOFT_EDGE)
        image = array(dataset, "images", case)
        for finding in here:
            seen = image[around(finding.mask) & ~everything]
            assert np.abs(seen - LUNG_HU).max() < 7 * NOISE_HU
            assert np.abs(seen.mean() - LUNG_HU) < 2
    assert {key[1:] for key in of_site} == {(s, v) for s in ("left", "right") for v in ("upper", "lower")}


def test_a_shape_without_room_for_the_margin_is_refused_with_one_that_has_room(tmp_path: Path) -> None:
    options = {"task": "findings", "spacing_mm": SPACING, "num_training": 1, "num_test_volumes": 1}
    with pytest.raises(DatasetError, match=r"clear margin of \(1, 2, 2\).*found: \(8, 14, 20\)") as caught:
        write_phantom(tmp_path, shape=(8, 14, 20), clear_margin=(1, 2, 2), **options)
    assert list(tmp_path.iterdir()) == []
    named = re.search(r"--shape (\d+) (\d+) (\d+)", str(caught.value))
    assert named is not None
    z, y, x = (int(n) for n in named.groups())
    write_phantom(tmp_path, shape=(z, y, x), clear_margin=(1, 2, 2), **options)


def test_the_seed_decides_everything_and_more_cases_keep_the_first_ones(tmp_path: Path) -> None:
    def write(name: str, cases: int, seed: int) -> dict[str, str]:
        return digest(
            write_phantom(tmp_path / name, task="findings", num_training=cases, num_test_volumes=cases, seed=seed)
        )

    first, again, other, more = write("a", 2, 5), write("b", 2, 5), write("c", 2, 6), write("d", 3, 5)
    assert first == again
    assert first["imagesTr/train_000_0000.nii.gz"] != other["imagesTr/train_000_0000.nii.gz"]
    images = {name: value for name, value in first.items() if name.endswith(".nii.gz")}
    assert images.items() <= more.items()


def test_the_number_of_occupied_sites_can_be_chosen(tmp_path: Path) -> None:
    folder = write_phantom(tmp_path, task="findings", lesions=(4, 4), num_training=2, num_test_volumes=2)
    for volume in volumes(Dataset(folder)).values():
        assert len({(finding["side"], finding["level"]) for finding in volume["findings"]}) == 4


def test_what_is_for_paired_datasets_refuses_this_one(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match=r"phantom\.json.*not paired.*found: 'findings'.*rexgroundingct"):
        PairedTestSet(dataset.folder)
    with pytest.raises(DatasetError, match=r"not paired"):  # reportseg audit --test
        folder_cases(dataset.folder / "imagesTs", dataset.folder / "labelsTs", ".nii.gz")
