"""Attention supervision: voxels of a finding attend to its sentence, voxels of other findings do not.

For finding f with sentences S_f and p_f(v) the attention of voxel v summed over S_f, the loss is -log p_f(v) averaged
over the voxels of f, plus -log(1 - p_f(v)) averaged over the voxels of findings that share no sentence with f.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_EPSILON = 1e-4


def finding_masks(
    label_map: Tensor, finding_values: Sequence[Sequence[Sequence[int]]], stride: Sequence[int] | None = None
) -> Tensor:
    """One binary mask per finding.

    Args:
        label_map: ``(B, 1, *spatial)`` integer label values.
        finding_values: for each case, for each finding, the label values that belong to it.
        stride: voxels of ``label_map`` per voxel of the masks along each axis; 1 where None. A voxel of the masks
            belongs to a finding where any of those that it covers does.

    Returns:
        ``(B, F, *masks)`` float, ``F`` the largest number of findings in the batch (at least 1).
    """
    spatial = label_map.shape[2:]
    shape = [-(-size // step) for size, step in zip(spatial, stride or [1] * len(spatial), strict=True)]
    count = max(1, max(len(values) for values in finding_values))
    masks = label_map.new_zeros((label_map.shape[0], count, *shape), dtype=torch.float32)
    for case, findings in enumerate(finding_values):
        for finding, values in enumerate(findings):
            inside = torch.zeros_like(label_map[case], dtype=torch.bool)
            for value in values:  # a tenth of the time of torch.isin for a few values
                inside |= label_map[case] == value
            masks[case, finding] = pooled(inside, shape)[0]
    return masks


def pooled(masks: Tensor, shape: Sequence[int]) -> Tensor:
    """Masks ``(..., F, *spatial)``, float or bool, at a coarser resolution ``shape``, by maximum.

    One axis after the other where sizes divide: adaptive pooling on a GPU has one thread read the whole window of a
    voxel, which from a patch to its bottleneck are 32768 voxels.
    """
    if any(size % wanted for size, wanted in zip(masks.shape[-len(shape) :], shape, strict=True)):
        pool = nn.functional.adaptive_max_pool3d if len(shape) == 3 else nn.functional.adaptive_max_pool2d
        uneven: Tensor = pool(masks.float(), tuple(shape))
        return uneven
    for axis, wanted in enumerate(shape, start=masks.ndim - len(shape)):
        if masks.shape[axis] != wanted:
            windows = masks.reshape(*masks.shape[:axis], wanted, -1, *masks.shape[axis + 1 :])
            masks = windows.any(axis + 1) if masks.dtype == torch.bool else windows.amax(axis + 1)
    return masks


def attention_supervision_loss(attention: Tensor, masks: Tensor, sentences: Tensor) -> Tensor:
    """Loss of one stage.

    Args:
        attention: ``(B, 1 + S, *stage)`` attention over null token and sentences.
        masks: ``(B, F, *spatial)`` finding masks at any finer resolution; pooled to the stage by maximum.
        sentences: ``(B, F, S)`` bool, sentences of each finding; all False for a finding that the report does not hold
            (its voxels still count as "other").

    Returns:
        Scalar; zero, with a gradient path, where no finding is in view.
    """
    # in half precision 1 - epsilon is 1, and log(1 - p) of a saturated voxel would be infinite
    with torch.autocast(attention.device.type, enabled=False):
        return _loss(attention.float(), masks.float(), sentences)


def _loss(attention: Tensor, masks: Tensor, sentences: Tensor) -> Tensor:
    masks = pooled(masks, attention.shape[2:]).flatten(2)
    sentences = sentences.to(masks.dtype)
    share = ((sentences @ sentences.transpose(1, 2)) > 0).to(masks.dtype)
    reported = (sentences.sum(dim=-1) > 0).to(masks.dtype)
    own = ((share @ masks) > 0).to(masks.dtype)
    other = (masks.amax(dim=1, keepdim=True) - own).clamp_min(0) * reported.unsqueeze(-1)
    p = (sentences @ attention[:, 1:].flatten(2)).clamp(_EPSILON, 1 - _EPSILON)
    positive = _mean_over_voxels(-torch.log(p), own)
    negative = _mean_over_voxels(-torch.log1p(-p), other)
    return positive + negative


def _mean_over_voxels(values: Tensor, weights: Tensor) -> Tensor:
    """Mean over the voxels of each finding, then over the findings in view."""
    voxels = weights.sum(dim=-1)
    per_finding = (values * weights).sum(dim=-1) / voxels.clamp_min(1)
    in_view = (voxels > 0).to(values.dtype)
    return (per_finding * in_view).sum() / in_view.sum().clamp_min(1)
