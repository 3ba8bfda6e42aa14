"""Logits to a label map on the image's own grid, one class at a time.

nnU-Net resamples the logits of all classes together and then takes the largest (nnunetv2 2.8,
inference/export_prediction.py, convert_predicted_logits_to_segmentation_with_correct_shape): with many classes that
takes most of the time and of the memory of a prediction. The largest so far is all that has to be kept. Each class is
resampled with nnU-Net's own torch resampling (preprocessing/resampling/resample_torch.py), so the labels are those that
nnU-Net gives with it. Plans name skimage's by default, which rounds differently at borders.

A class that the background exceeds in every voxel of the logits needs no resampling: weighted means of smaller numbers
are no larger, rounded or not. With many classes most are not in the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from acvl_utils.cropping_and_padding.bounding_boxes import insert_crop_into_image
from nnunetv2.preprocessing.resampling.resample_torch import resample_torch_fornnunet
from numpy.typing import NDArray
from torch import Tensor

Resampling = Callable[..., Tensor]
_PLANNED = "resampling_fn_probabilities"


def torch_resampling(configuration: Any) -> Resampling | None:
    """nnU-Net's torch resampling for what a configuration plans.

    Args:
        configuration: nnU-Net's ConfigurationManager.

    Returns:
        The planned function where it is that one, its counterpart where skimage's linear one is planned, else None.
    """
    name = configuration.configuration.get(_PLANNED)
    if name == resample_torch_fornnunet.__name__:
        planned: Resampling = configuration.resampling_fn_probabilities
        return planned
    options = configuration.configuration.get(f"{_PLANNED}_kwargs", {})
    usual = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": options.get("force_separate_z")}
    if name != "resample_data_or_seg_to_shape" or options != usual:
        return None
    return partial(resample_torch_fornnunet, is_seg=False, force_separate_z=options["force_separate_z"])


def label_map(
    logits: Tensor,
    properties: Mapping[str, Any],
    *,
    plans: Any,
    configuration: Any,
    labels: Any,
    resampling: Resampling,
    device: torch.device,
) -> NDArray[np.integer[Any]]:
    """Labels of an image on its own grid.

    Args:
        logits: ``(heads, *volume)`` of the preprocessed image.
        properties: of the image, as nnU-Net's preprocessor leaves them.
        plans: nnU-Net's PlansManager.
        configuration: nnU-Net's ConfigurationManager.
        labels: nnU-Net's LabelManager.
        resampling: from :func:`torch_resampling`.
        device: for the computation; holds a few volumes of the image's size, whatever the number of classes.

    Returns:
        ``(*image)`` as nnU-Net's writer takes it, uint8 or with 255 labels and more uint16.
    """
    shape = properties["shape_after_cropping_and_before_resampling"]
    spacing = [properties["spacing"][axis] for axis in plans.transpose_forward]
    planned = configuration.spacing
    current = planned if len(planned) == len(shape) else [spacing[0], *planned]
    threads = torch.get_num_threads()
    with torch.inference_mode():
        background = None if labels.has_regions else logits[0]
        classes = (
            (number, resampling(one.to(device), shape, current, spacing, num_threads=threads, device=device)[0])
            for number, one in enumerate(logits.split(1))
            if number == 0 or not _nowhere(one[0], background)
        )
        found = _regions(classes, labels.regions_class_order) if labels.has_regions else _largest(classes)
    kind = np.uint8 if len(labels.foreground_labels) < 255 else np.uint16
    whole = np.zeros(properties["shape_before_cropping"], dtype=kind)
    cropped = found.cpu().numpy().astype(kind, copy=False)
    whole = insert_crop_into_image(whole, cropped, properties["bbox_used_for_cropping"])
    return np.asarray(whole.transpose(plans.transpose_backward))


def _nowhere(values: Tensor, background: Tensor | None) -> bool:
    """Whether a class is below the background everywhere; that of regions is a probability of one half."""
    return not bool((values > (0 if background is None else background)).any())


def _largest(classes: Iterable[tuple[int, Tensor]]) -> Tensor:
    """Number of the largest class at each voxel, the first of equal ones, as argmax."""
    remaining = iter(classes)
    _, best = next(remaining)
    found = torch.zeros(best.shape, dtype=torch.int16, device=best.device)
    for number, values in remaining:
        found.masked_fill_(values > best, number)
        best = torch.maximum(best, values)
    return found


def _regions(classes: Iterable[tuple[int, Tensor]], order: Sequence[int]) -> Tensor:
    """Label of the last region that covers a voxel, as LabelManager.convert_probabilities_to_segmentation."""
    found: Tensor | None = None
    for number, values in classes:
        if found is None:
            found = torch.zeros(values.shape, dtype=torch.int16, device=values.device)
        found.masked_fill_(torch.sigmoid(values.float()) > 0.5, int(order[number]))
    if found is None:
        raise ValueError("a label map needs at least one region")
    return found
