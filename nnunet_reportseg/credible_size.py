"""How small a finding can be: masks lose components that are far smaller than any of the training labels.

A network that is asked for what is not there sometimes leaves a few voxels. nnU-Net cleans its masks after a trial on
the validation cases (nnunetv2 2.8 postprocessing/remove_connected_components.py: all but the largest component); a
finding may have several, so here the training labels tell what size is credible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from acvl_utils.cropping_and_padding.bounding_boxes import bounding_box_to_slice, get_bbox_from_mask
from numpy.typing import NDArray
from scipy import ndimage

CREDIBLE_PART = 0.5  # of the smallest component of training: resampling and an uncertain edge may halve one


def component_sizes(mask: NDArray[np.bool_]) -> list[int]:
    """Voxels of each component of a mask; voxels that share a face, edge or corner are in one."""
    if not mask.any():
        return []
    _, sizes = _components(mask[bounding_box_to_slice(get_bbox_from_mask(mask))])
    return [int(size) for size in sizes]


def credible_mask(
    mask: NDArray[np.bool_], smallest_mm3: float | None, spacing: Sequence[float]
) -> tuple[NDArray[np.bool_], int]:
    """A mask without its components of less than half the smallest of training, and how many those were.

    Args:
        mask: of one finding.
        smallest_mm3: from the model's plans; None keeps everything.
        spacing: of the voxels, mm.
    """
    if smallest_mm3 is None or not mask.any():
        return mask, 0
    least = CREDIBLE_PART * smallest_mm3 / float(np.prod(spacing))
    box = bounding_box_to_slice(get_bbox_from_mask(mask))
    components, sizes = _components(mask[box])
    cleaned = mask.copy()
    cleaned[box] = np.concatenate(([False], sizes >= least))[components]
    return cleaned, int((sizes < least).sum())


def _components(mask: NDArray[np.bool_]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    components, count = ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, mask.ndim))
    return components, np.bincount(components.ravel(), minlength=count + 1)[1:]
