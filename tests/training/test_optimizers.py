"""Two optimisers stepped together behave as the two alone; the schedule is nnU-Net's."""

from __future__ import annotations

import io

import pytest
import torch
from nnunetv2.training.lr_scheduler.polylr import PolyLRScheduler
from torch import nn, optim

from nnunet_reportseg.training.optimizers import PolynomialSchedule, SteppedTogether

DATA = torch.randn(16, 4, generator=torch.Generator().manual_seed(0))


def network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))


def members(model):
    return [
        optim.SGD(model[0].parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
        optim.AdamW(model[2].parameters(), 1e-2, weight_decay=1e-2),
    ]


def step(model, *optimizers):
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    (model(DATA) - 1).square().mean().backward()
    for optimizer in optimizers:
        optimizer.step()


def parameters(model):
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def saved(state):
    """The state as nnU-Net writes and reads it."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


def test_stepped_together_equals_stepped_apart():
    together, apart = network(), network()
    optimizer, pair = SteppedTogether(members(together)), members(apart)
    start = parameters(together)
    for _ in range(5):
        step(together, optimizer)
        step(apart, *pair)
        assert torch.equal(parameters(together), parameters(apart))
    assert (parameters(together) - start).abs().min() > 1e-6


def test_zero_grad_reaches_all_members():
    model = network()
    optimizer = SteppedTogether(members(model))
    model(DATA).sum().backward()
    optimizer.zero_grad(set_to_none=True)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_saved_state_continues_as_if_never_interrupted():
    reference = network()
    optimizer = SteppedTogether(members(reference))
    for _ in range(3):
        step(reference, optimizer)
    state = saved({"weights": reference.state_dict(), "optimizer": optimizer.state_dict()})
    for _ in range(3):
        step(reference, optimizer)

    resumed = network()
    resumed.load_state_dict(state["weights"])
    optimizer = SteppedTogether(members(resumed))
    optimizer.load_state_dict(state["optimizer"])
    for _ in range(3):
        step(resumed, optimizer)
    assert torch.equal(parameters(resumed), parameters(reference))


def test_rates_set_after_loading_a_state_reach_the_members():
    model = network()
    optimizer = SteppedTogether(members(model))
    optimizer.load_state_dict(saved(optimizer.state_dict()))
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = parameters(model)
    step(model, optimizer)
    assert torch.equal(parameters(model), before)


def test_gradients_scaled_over_the_groups_are_those_the_members_use():
    """As GradScaler.unscale_ does it: every gradient it finds through param_groups."""
    scaled, plain = network(), network()
    optimizer, pair = SteppedTogether(members(scaled)), members(plain)
    for _ in range(3):
        optimizer.zero_grad()
        ((scaled(DATA) - 1).square().mean() * 1024).backward()
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad.div_(1024)
        optimizer.step()
        step(plain, *pair)
    torch.testing.assert_close(parameters(scaled), parameters(plain))


def test_torchs_own_gradient_scaler_works():
    model, plain = network(), network()
    optimizer, pair = SteppedTogether(members(model)), members(plain)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for _ in range(3):
        optimizer.zero_grad()
        scaler.scale((model(DATA) - 1).square().mean()).backward()
        scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        step(plain, *pair)
    torch.testing.assert_close(parameters(model), parameters(plain))


def test_torchs_own_gradient_scaler_skips_all_members_on_overflow():
    model = network()
    optimizer = SteppedTogether(members(model))
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    before = parameters(model)
    scaler.scale(model(DATA).sum() * float("inf")).backward()
    scaler.step(optimizer)
    assert torch.equal(parameters(model), before)


def test_a_closure_is_refused():
    with pytest.raises(ValueError, match="closure"):
        SteppedTogether(members(network())).step(lambda: 0.0)


def test_a_state_of_another_number_of_members_is_refused():
    optimizer = SteppedTogether(members(network()))
    state = optimizer.state_dict()
    state["members"] = state["members"][:1]
    with pytest.raises(ValueError, match="zip"):
        optimizer.load_state_dict(state)


def test_one_group_follows_nnunets_schedule():
    ours, theirs = (optim.SGD(network().parameters(), 1e-2) for _ in range(2))
    schedule, reference = PolynomialSchedule(ours, 100), PolyLRScheduler(theirs, 1e-2, 100)
    for epoch in (0, 1, 50, 99):
        schedule.step(epoch)
        reference.step(epoch)
        assert ours.param_groups[0]["lr"] == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-12)
        assert ours.param_groups[0]["lr"] > 0


def test_several_groups_keep_their_ratio_also_after_a_state_was_loaded():
    optimizer = SteppedTogether(members(network()))
    schedule = PolynomialSchedule(optimizer, 10)
    schedule.step(7)
    state = saved(optimizer.state_dict())
    resumed = SteppedTogether(members(network()))
    schedule = PolynomialSchedule(resumed, 10)
    resumed.load_state_dict(state)
    schedule.step(5)
    rates = [group["lr"] for group in resumed.param_groups]
    assert rates == pytest.approx([0.1 * 0.5**0.9, 1e-2 * 0.5**0.9])
