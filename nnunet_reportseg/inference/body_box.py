"""The box of the body in a preprocessed CT: air around it needs no tiles.

nnU-Net crops what is exactly zero (nnunetv2 2.8, preprocessing/cropping/cropping.py, create_nonzero_mask), which air of
-1000 HU is not. A smaller box moves the grid of tiles, so logits change a little; nothing outside of it is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from nnunet_reportseg.errors import DatasetError

BODY_HU = -500.0
COARSE = 4  # voxels along each axis that are looked at together; as many are added around the body
LEAST_PART = 0.01  # of the largest connected part; smaller ones are noise
OUTSIDE_LOGIT = -1e4  # within half precision


def body_threshold(plans: Any, configuration: Any) -> float:
    """What a voxel of the body exceeds in a preprocessed image.

    Args:
        plans: nnU-Net's PlansManager.
        configuration: nnU-Net's ConfigurationManager.

    Raises:
        DatasetError: the first channel is no CT.
    """
    scheme = configuration.normalization_schemes[0]
    if scheme != "CTNormalization":
        raise DatasetError.about(
            "the body is found by its HU, and the first channel is no CT",
            value=scheme,
            fix="leave --crop_to_body out",
        )
    # as CTNormalization.run, preprocessing/normalization/default_normalization_schemes.py: clipped, then standardised
    properties = plans.foreground_intensity_properties_per_channel["0"]
    clipped = max(BODY_HU, properties["percentile_00_5"])
    return float((clipped - properties["mean"]) / max(properties["std"], 1e-8))


def body_box(image: Tensor, threshold: float, least: Sequence[int]) -> tuple[slice, ...]:
    """Box around the large parts of a volume that exceed a threshold; the whole volume where nothing does.

    Args:
        image: ``(*volume)``.
        threshold: from :func:`body_threshold`.
        least: shape that the box is grown to where the volume has room, that of a patch: smaller ones are padded.
    """
    pooled = torch.nn.functional.avg_pool3d(image.float()[None, None], COARSE, ceil_mode=True)[0, 0]
    parts, _ = ndimage.label((pooled > threshold).cpu().numpy())
    sizes = np.bincount(parts.ravel())[1:]
    if not sizes.size:
        return tuple(slice(0, size) for size in image.shape)
    kept = 1 + np.flatnonzero(sizes >= LEAST_PART * sizes.max())
    found = np.isin(parts, kept).nonzero()
    wanted = [1] * (image.ndim - len(least)) + list(least)
    return tuple(
        _grown(COARSE * (int(along.min()) - 1), COARSE * (int(along.max()) + 2), at_least, size)
        for along, at_least, size in zip(found, wanted, image.shape, strict=True)
    )


def _grown(start: int, stop: int, at_least: int, size: int) -> slice:
    start, stop = max(0, start), min(size, stop)
    missing = max(0, at_least - (stop - start))
    start = max(0, min(start - missing // 2, size - at_least))
    return slice(start, min(size, max(stop, start + at_least)))


def with_outside(logits: Tensor, box: Sequence[slice], shape: Sequence[int], heads: int, *, background: bool) -> Tensor:
    """Logits of a box put into the whole volume.

    Args:
        logits: ``(reports * heads, *box)``.
        box: from :func:`body_box`.
        shape: of the volume.
        heads: of the network.
        background: whether the first head is that of the background; regions have none.
    """
    whole = logits.new_full((len(logits), *shape), OUTSIDE_LOGIT)
    if background:
        whole[::heads] = 0
    whole[(slice(None), *box)] = logits
    return whole
