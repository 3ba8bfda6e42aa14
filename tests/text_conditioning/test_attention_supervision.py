"""Attention supervision: voxels attend to their own sentence, and to no other's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from text_conditioning.attention_supervision import attention_supervision_loss, finding_masks, pooled


def two_findings(dimensions: int, size: int = 4) -> Tensor:
    """Two masks, (1, 2, *spatial): the first and the last slab along the first axis."""
    masks = torch.zeros(1, 2, *[size] * dimensions)
    masks[:, 0, 0] = 1
    masks[:, 1, -1] = 1
    return masks


def attention_to(masks: Tensor, sentence_of: list[int], *, sentences: int = 3) -> Tensor:
    """Attention (1, 1 + S, *spatial): voxels of mask f look at ``sentence_of[f]``, all others at the null token."""
    attention = torch.full((1, 1 + sentences, *masks.shape[2:]), 0.02)
    attention[:, 0] += 1 - attention.sum(dim=1)
    for finding, sentence in enumerate(sentence_of):
        inside = masks[0, finding] > 0
        attention[0, :, inside] = 0.02
        attention[0, 1 + sentence, inside] = 1 - 0.02 * sentences
    return attention


def links(*sentences: list[int], length: int = 3) -> Tensor:
    """(1, F, S) bool."""
    linked = torch.zeros(1, len(sentences), length, dtype=torch.bool)
    for finding, own in enumerate(sentences):
        linked[0, finding, own] = True
    return linked


@pytest.mark.parametrize("dimensions", [2, 3])
def test_low_where_voxels_attend_to_their_sentence_and_high_where_they_swap(dimensions: int) -> None:
    masks = two_findings(dimensions)
    right = attention_supervision_loss(attention_to(masks, [0, 1]), masks, links([0], [1]))
    swapped = attention_supervision_loss(attention_to(masks, [1, 0]), masks, links([0], [1]))
    assert right < 0.15
    assert swapped > 5


def test_the_value_is_the_mean_over_voxels_and_findings() -> None:
    masks = two_findings(3)
    attention = torch.full((1, 4, 4, 4, 4), 0.25)
    loss = attention_supervision_loss(attention, masks, links([0], [1]))
    expected = -torch.log(torch.tensor(0.25)) - torch.log(torch.tensor(0.75))
    torch.testing.assert_close(loss, expected)


def test_a_finding_of_two_sentences_may_divide_its_attention() -> None:
    masks = two_findings(3)
    attention = attention_to(masks, [0, 2])
    attention[:, 1:3, 0] = 0.48  # the voxels of the first finding: half on each of its sentences
    attention[:, [0, 3], 0] = 0.02
    assert attention_supervision_loss(attention, masks, links([0, 1], [2])) < 0.15


def test_voxels_outside_all_findings_do_not_count() -> None:
    masks = two_findings(3)
    attention = attention_to(masks, [0, 1])
    elsewhere = attention.clone()
    elsewhere[:, :, 1:3] = torch.tensor([0.0, 1.0, 0.0, 0.0])[:, None, None, None]
    first, second = (attention_supervision_loss(a, masks, links([0], [1])) for a in (attention, elsewhere))
    torch.testing.assert_close(first, second)


def test_voxels_of_a_dropped_finding_must_not_attend_to_the_others() -> None:
    masks = two_findings(3)
    linked = links([0], [])
    to_null = attention_supervision_loss(attention_to(masks[:, :1], [0]), masks, linked)
    to_the_other = attention_supervision_loss(attention_to(masks, [0, 0]), masks, linked)
    assert to_null < 0.15
    assert to_the_other > 2


def test_voxels_of_a_finding_that_shares_the_sentence_are_not_pushed_away() -> None:
    masks = two_findings(3)
    attention = attention_to(masks, [0, 0])
    assert attention_supervision_loss(attention, masks, links([0], [0])) < 0.15
    assert attention_supervision_loss(attention, masks, links([0, 1], [0, 2])) < 0.15


@pytest.mark.parametrize("case", ["no voxel", "no sentence"])
def test_nothing_to_supervise_is_zero_with_a_gradient_path(case: str) -> None:
    masks = two_findings(3)
    linked = links([0], [1])
    if case == "no voxel":
        masks = torch.zeros_like(masks)
    else:
        linked = torch.zeros_like(linked)
    attention = torch.full((1, 4, 4, 4, 4), 0.25, requires_grad=True)
    loss = attention_supervision_loss(attention, masks, linked)
    loss.backward()
    assert loss.item() == 0
    assert attention.grad is not None
    assert not attention.grad.any()


def test_a_reported_finding_out_of_view_still_repels_the_voxels_of_the_others() -> None:
    masks = two_findings(3)
    masks[:, 1] = 0
    attention = torch.full((1, 4, 4, 4, 4), 0.25)
    alone = attention_supervision_loss(attention, masks, links([0]).expand(-1, 2, -1))
    repelled = attention_supervision_loss(attention, masks, links([0], [1]))
    torch.testing.assert_close(alone, -torch.log(torch.tensor(0.25)))
    torch.testing.assert_close(repelled - alone, -torch.log(torch.tensor(0.75)))


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_single_voxel_survives_the_pooling_to_a_coarse_stage(dimensions: int) -> None:
    masks = torch.zeros(1, 1, *[16] * dimensions)
    masks[(0, 0, *[5] * dimensions)] = 1
    stage = torch.zeros(1, 1, *[2] * dimensions)
    stage[(0, 0, *[0] * dimensions)] = 1
    linked = links([0])
    assert attention_supervision_loss(attention_to(stage, [0]), masks, linked) < 0.15
    assert attention_supervision_loss(attention_to(1 - stage, [0]), masks, linked) > 3


def test_gradient_raises_the_attention_of_the_own_sentence() -> None:
    masks = two_findings(3)
    logits = torch.zeros(1, 4, 4, 4, 4, requires_grad=True)
    attention_supervision_loss(torch.softmax(logits, 1), masks, links([0], [1])).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 1, 0] < 0).all()
    assert (logits.grad[0, 2, 0] > 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_saturated_attention_stays_finite_under_autocast(dtype: torch.dtype) -> None:
    masks = two_findings(3)
    attention = torch.zeros(1, 4, 4, 4, 4)
    attention[:, 1, :2] = 1
    attention[:, 2, 2:] = 1
    with torch.autocast("cpu", dtype=dtype):
        loss = attention_supervision_loss(attention, masks, links([0], [1]))
    assert torch.isfinite(loss)
    assert loss < 0.15


def test_masks_follow_the_label_values_of_each_case() -> None:
    labels = torch.tensor([[0, 1, 2, 3], [0, 1, 2, 3]], dtype=torch.int16).reshape(2, 1, 2, 2)
    masks = finding_masks(labels, [[(1, 3), (2, 3)], [(2,)]])
    assert masks.flatten(2).tolist() == [[[0, 1, 0, 1], [0, 0, 1, 1]], [[0, 0, 1, 0], [0, 0, 0, 0]]]


def test_masks_of_a_batch_without_findings_are_one_empty_finding() -> None:
    masks = finding_masks(torch.ones(2, 1, 4, 4, 4, dtype=torch.int16), [[], []])
    assert masks.shape == (2, 1, 4, 4, 4)
    assert not masks.any()


def test_masks_at_a_coarser_resolution_hold_what_any_of_their_voxels_holds() -> None:
    labels = torch.zeros(1, 1, 8, 8, 5, dtype=torch.int16)
    labels[0, 0, 7, 2, 4] = 3
    masks = finding_masks(labels, [[(3,), (1,)]], [4, 2, 2])
    assert masks.shape == (1, 2, 2, 4, 3)
    assert masks.nonzero().tolist() == [[0, 0, 1, 1, 2]]
    torch.testing.assert_close(masks, pooled(finding_masks(labels, [[(3,), (1,)]]), masks.shape[2:]))


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 2), (8, 3, 2), (3, 3, 5), (8, 6, 10)])  # even, uneven and the same
def test_masks_are_pooled_by_maximum(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    size = (8, 6, 10)[: len(shape)]
    masks = (torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) > 0.9).to(dtype)
    pool = torch.nn.functional.adaptive_max_pool3d if len(shape) == 3 else torch.nn.functional.adaptive_max_pool2d
    torch.testing.assert_close(pooled(masks, shape).float(), pool(masks.float(), shape))
