"""Two optimisers stepped together, and nnU-Net's learning rate schedule for groups with different rates.

nnU-Net trains with SGD at 1e-2 and momentum 0.99. Adapters trained so learn to read more slowly (docs/design.md, "What
each part is worth"); they get AdamW, the backbone keeps what nnU-Net was tuned with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch.nn import Module, Parameter
from torch.optim import SGD, AdamW, Optimizer

from nnunet_reportseg.conditioning import TrainingRecipe


def adamw(parameters: list[Parameter], lr: float, weight_decay: float) -> AdamW:
    """AdamW with one kernel for all parameters: adapters are many small tensors (a fifth of the time on CPU).

    Args:
        parameters: what it trains.
        lr: initial learning rate.
        weight_decay: decoupled weight decay.
    """
    return AdamW(parameters, lr, weight_decay=weight_decay, fused=True)


def make_optimizer(
    network: Module, adapters: Module, recipe: TrainingRecipe, sgd: Callable[[list[Parameter]], SGD]
) -> SteppedTogether:
    """The optimisers of a recipe, stepped together; a backbone that is not trained is frozen here.

    Args:
        network: the whole network.
        adapters: the part of it that is not backbone.
        recipe: of the training.
        sgd: makes nnU-Net's own optimiser.
    """
    of_adapters = list(adapters.parameters())
    own = {id(parameter) for parameter in of_adapters}
    backbone = [parameter for parameter in network.parameters() if id(parameter) not in own]
    members: list[Optimizer] = []
    if recipe.backbone_optimizer == "none":
        for parameter in backbone:
            parameter.requires_grad_(False)
    for name, parameters in ((recipe.backbone_optimizer, backbone), (recipe.adapter_optimizer, of_adapters)):
        if name == "sgd":
            members.append(sgd(parameters))
        elif name == "adamw":
            members.append(adamw(parameters, recipe.adapter_lr, recipe.adapter_weight_decay))
    return SteppedTogether(members)


class SteppedTogether(Optimizer):
    """Several optimisers behind the interface of one.

    ``param_groups`` are those of the members, in order, so gradient scaling, clipping and schedules see them all.

    Args:
        members: the optimisers.
    """

    def __init__(self, members: Sequence[Optimizer]) -> None:
        super().__init__([group for member in members for group in member.param_groups], {})
        self.members = list(members)
        self._share_groups()

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Step all members.

        Raises:
            ValueError: a closure was given; evaluating it once per member would not be one step.
        """
        if closure is not None:
            raise ValueError("SteppedTogether does not take a closure.")
        for member in self.members:
            member.step()

    def state_dict(self) -> dict[str, Any]:
        """State of all members."""
        return {"members": [member.state_dict() for member in self.members]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what :meth:`state_dict` returned."""
        for member, state in zip(self.members, state_dict["members"], strict=True):
            member.load_state_dict(state)
        self._share_groups()

    def _share_groups(self) -> None:
        self.param_groups = [group for member in self.members for group in member.param_groups]


class PolynomialSchedule:
    """nnU-Net's decay ``(1 - epoch / epochs) ** 0.9`` (PolyLRScheduler), relative to the initial rate of each group.

    Args:
        optimizer: the optimiser.
        epochs: length of the training.
        exponent: of the decay.
    """

    def __init__(self, optimizer: Optimizer, epochs: int, exponent: float = 0.9) -> None:
        self.optimizer = optimizer
        self.epochs = epochs
        self.exponent = exponent
        self.initial = [group["lr"] for group in optimizer.param_groups]

    def step(self, epoch: int) -> None:
        """Set the rates of ``epoch``."""
        factor = (1 - epoch / self.epochs) ** self.exponent
        for group, initial in zip(self.optimizer.param_groups, self.initial, strict=True):
            group["lr"] = initial * factor
