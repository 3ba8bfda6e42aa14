"""Labels made one class at a time are those that nnU-Net makes of all classes together."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.utilities.label_handling.label_handling import LabelManager
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager
from scipy.ndimage import gaussian_filter

from nnunet_reportseg.inference.class_by_class import label_map, torch_resampling

TORCH = ("resample_torch_fornnunet", {"is_seg": False, "force_separate_z": None})
SKIMAGE = ("resample_data_or_seg_to_shape", {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None})
REGIONS = LabelManager({"background": 0, "whole": [1, 2, 3], "part": [2, 3], "core": 3}, [1, 2, 3])
LABELS = LabelManager({"background": 0, "a": 1, "b": 2, "c": 3, "d": 4}, None)
MANY = LabelManager({"background": 0, **{str(number): number for number in range(1, 261)}}, None)

# planned spacing, spacing of the image, its shape, shape of the logits, transpose_forward
IMAGES = {
    "finer": ([2.0, 2.0, 2.0], (1.5, 1.0, 1.0), (24, 40, 36), (18, 20, 18), (0, 1, 2)),
    "coarser": ([1.0, 1.0, 1.0], (1.5, 2.0, 2.0), (12, 15, 14), (18, 30, 28), (0, 1, 2)),
    "thick slices": ([5.0, 1.0, 1.0], (5.0, 0.5, 0.5), (10, 40, 44), (10, 20, 22), (0, 1, 2)),
    "the same grid": ([1.0, 1.0, 1.0], (1.0, 1.0, 1.0), (12, 15, 14), (12, 15, 14), (0, 1, 2)),
    "transposed": ([2.0, 2.0, 2.0], (1.0, 1.0, 1.5), (40, 36, 24), (18, 20, 18), (2, 0, 1)),
    "slices of a 2D configuration": ([2.0, 2.0], (3.0, 1.0, 1.0), (6, 40, 36), (6, 20, 18), (0, 1, 2)),
}


def _prepare(image, labels, functions, seed=0):
    planned, spacing, shape, coarse, forward = IMAGES[image]
    name, options = functions
    configuration = ConfigurationManager(
        {
            "architecture": {},
            "spacing": planned,
            "resampling_fn_probabilities": name,
            "resampling_fn_probabilities_kwargs": options,
        }
    )
    plans = SimpleNamespace(transpose_forward=list(forward), transpose_backward=np.argsort(forward).tolist())
    turned = [shape[axis] for axis in forward]
    properties = {
        "spacing": spacing,
        "shape_after_cropping_and_before_resampling": turned,
        "shape_before_cropping": [size + 3 for size in turned],
        "bbox_used_for_cropping": [[1, size + 1] for size in turned],
    }
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(labels.num_segmentation_heads, *coarse))
    logits = np.stack([gaussian_filter(channel, 1.5) for channel in noise]) * 20
    return torch.from_numpy(logits).half(), properties, plans, configuration


def _ours(prepared, labels):
    logits, properties, plans, configuration = prepared
    return label_map(
        logits,
        properties,
        plans=plans,
        configuration=configuration,
        labels=labels,
        resampling=torch_resampling(configuration),
        device=torch.device("cpu"),
    )


def _theirs(prepared, labels):
    logits, properties, plans, configuration = prepared
    return convert_predicted_logits_to_segmentation_with_correct_shape(
        logits.numpy(), plans, configuration, labels, copy.deepcopy(properties)
    )


@pytest.mark.parametrize("labels", [LABELS, REGIONS], ids=["labels", "regions"])
@pytest.mark.parametrize("image", IMAGES)
def test_labels_are_those_of_nnunet_with_torch_resampling(image, labels):
    prepared = _prepare(image, labels, TORCH)
    found, expected = _ours(prepared, labels), _theirs(prepared, labels)
    assert found.dtype == expected.dtype
    assert len(np.unique(expected)) == 1 + len(labels.foreground_labels)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("labels", [LABELS, REGIONS], ids=["labels", "regions"])
@pytest.mark.parametrize("image", IMAGES)
def test_labels_are_nearly_those_of_skimage(image, labels):
    prepared = _prepare(image, labels, SKIMAGE)
    assert (_ours(prepared, labels) == _theirs(prepared, labels)).mean() >= 0.999


def test_more_labels_than_a_byte_holds():
    prepared = _prepare("finer", MANY, TORCH)
    found = _ours(prepared, MANY)
    assert found.dtype == np.uint16
    assert found.max() > 255
    np.testing.assert_array_equal(found, _theirs(prepared, MANY))


def test_of_equal_logits_the_first_class_wins():
    logits, *rest = _prepare("the same grid", LABELS, TORCH)
    logits[:] = 1.0
    assert not _ours((logits, *rest), LABELS).any()


@pytest.mark.parametrize(
    "functions",
    [
        ("resample_data_or_seg_to_shape", {**SKIMAGE[1], "order": 3}),
        ("resample_data_or_seg_to_shape", {**SKIMAGE[1], "order_z": 1}),
        ("no_resampling_hack", {}),
    ],
)
def test_other_plans_have_no_counterpart(functions):
    assert torch_resampling(_prepare("finer", LABELS, functions)[3]) is None


@pytest.mark.parametrize("labels", [LABELS, REGIONS], ids=["labels", "regions"])
@pytest.mark.parametrize("image", ["finer", "thick slices"])
def test_a_class_that_is_nowhere_is_not_resampled_and_the_labels_stay(image, labels):
    prepared = _prepare(image, labels, TORCH)
    logits, properties, plans, configuration = prepared
    logits[2] = torch.minimum(logits[2], torch.zeros(()).half() if labels.has_regions else logits[0])
    resampled = []
    resampling = torch_resampling(configuration)

    def counted(one, *arguments, **options):
        resampled.append(one)
        return resampling(one, *arguments, **options)

    found = label_map(
        logits,
        properties,
        plans=plans,
        configuration=configuration,
        labels=labels,
        resampling=counted,
        device=torch.device("cpu"),
    )
    assert len(resampled) == len(logits) - 1
    np.testing.assert_array_equal(found, _theirs(prepared, labels))
