"""The alignment loss: what it prefers, what it leaves out, and that it never is silently nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from text_conditioning.alignment import AlignmentHead, Embedded, alignment_loss
from text_conditioning.errors import AlignmentError

LEFT, RIGHT, OTHER = torch.eye(3)


def embedded(voxel: Tensor, *, negatives: list[Tensor] | None = None, sentence: Tensor = LEFT) -> Embedded:
    """One sample of 4 x 4 x 4 voxels whose first octant looks like ``voxel``, with one sentence."""
    voxels = OTHER.reshape(1, 3, 1, 1, 1).repeat(1, 1, 4, 4, 4)
    voxels[0, :, :2, :2, :2] = voxel.reshape(3, 1, 1, 1)
    hard = torch.stack(negatives or [RIGHT])[None]
    return Embedded(voxels, sentence[None, None], hard, torch.ones(hard.shape[:2], dtype=torch.bool), torch.tensor(5.0))


def mask() -> Tensor:
    """The first octant, at twice the resolution of the stage."""
    result = torch.zeros(1, 1, 8, 8, 8)
    result[..., :4, :4, :4] = 1
    return result


LINKED = torch.ones(1, 1, 1, dtype=torch.bool)
SAME = torch.ones(1, 1, dtype=torch.bool)


def test_voxels_that_look_like_their_sentence_cost_less_than_those_of_the_other_side() -> None:
    right_way = alignment_loss(embedded(LEFT), mask(), LINKED, SAME)
    wrong_way = alignment_loss(embedded(RIGHT), mask(), LINKED, SAME)
    assert right_way is not None
    assert wrong_way is not None
    torch.testing.assert_close(right_way, torch.log1p(torch.exp(torch.tensor(-5.0))))
    torch.testing.assert_close(wrong_way, torch.log1p(torch.exp(torch.tensor(5.0))))


def test_every_negative_adds_to_the_loss_and_padding_does_not() -> None:
    one = alignment_loss(embedded(LEFT), mask(), LINKED, SAME)
    two = alignment_loss(embedded(LEFT, negatives=[RIGHT, OTHER]), mask(), LINKED, SAME)
    padded = embedded(LEFT, negatives=[RIGHT, LEFT])
    padded = padded._replace(there=torch.tensor([[True, False]]))
    assert one is not None
    assert two is not None
    assert two > one
    torch.testing.assert_close(alignment_loss(padded, mask(), LINKED, SAME), one)


@pytest.mark.parametrize("what", ["voxels", "sentences", "negatives"])
def test_nothing_to_compare_is_no_loss(what: str) -> None:
    given, masks, linked = embedded(LEFT), mask(), LINKED
    if what == "voxels":
        masks = torch.zeros_like(masks)
    elif what == "sentences":
        linked = torch.zeros_like(linked)
    else:
        given = given._replace(there=torch.zeros(1, 1, dtype=torch.bool))
    assert alignment_loss(given, masks, linked, SAME) is None


def test_findings_of_a_batch_are_negatives_of_each_other_unless_they_say_the_same() -> None:
    first, second = embedded(LEFT), embedded(RIGHT, sentence=RIGHT)
    batch = Embedded(*(torch.cat((a, b)) for a, b in zip(first[:4], second[:4], strict=True)), first.scale)
    batch = batch._replace(there=torch.zeros(2, 1, dtype=torch.bool))
    masks, linked = mask().repeat(2, 1, 1, 1, 1), LINKED.repeat(2, 1, 1)
    different = alignment_loss(batch, masks, linked, torch.eye(2, dtype=torch.bool))
    assert different is not None
    torch.testing.assert_close(different, torch.log1p(torch.exp(torch.tensor(-5.0))))
    assert alignment_loss(batch, masks, linked, torch.ones(2, 2, dtype=torch.bool)) is None


def test_training_the_head_aligns() -> None:
    torch.manual_seed(0)
    head = AlignmentHead(6, 8)
    features, tokens, negatives = torch.randn(1, 6, 4, 4, 4), torch.randn(1, 1, 8), torch.randn(1, 5, 8)
    there = torch.tensor([[True, True, True, True, False]])
    optimizer = torch.optim.Adam(head.parameters(), 0.02)
    losses = []
    for _ in range(60):
        loss = alignment_loss(head(features, tokens, negatives, there), mask(), LINKED, SAME)
        assert loss is not None
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_a_loss_that_is_not_finite_raises() -> None:
    with pytest.raises(AlignmentError, match="nan"):
        alignment_loss(embedded(torch.full((3,), float("nan"))), mask(), LINKED, SAME)
