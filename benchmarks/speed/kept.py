"""What a training step keeps for its backward pass: ReportGuidedTrainer beside nnUNetTrainer, at full size, no GPU.

The networks are compiled as nnU-Net does on a GPU, but only as far as the graphs of the forward and the backward pass,
which are not run. What the first hands to the second is most of the peak memory of a step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch._functorch.aot_autograd import aot_module_simplified
from torch._functorch.partitioners import min_cut_rematerialization_partition

from speed.training import TRAINERS, step_workspace, trainer_of

PATCH = (128, 128, 128)


class _Traced(BaseException):
    """Ends a step once its graphs are there; no Exception, which torch.compile would report as an error of its own."""


def measure(patch: Sequence[int], architectures: Iterable[str]) -> dict[str, Any]:
    """Bytes that are kept by both trainers, and their ratio.

    Args:
        patch: patch size, z y x.
        architectures: keys of speed.planned.ARCHITECTURES.
    """
    with step_workspace(patch, architectures, planned=True) as configurations:
        os.environ["nnUNet_compile"] = "f"  # compiled here, without code for the processor
        return {kind: _measure(name) for kind, name in configurations.items()}


def _measure(configuration: str) -> dict[str, Any]:
    kept = {}
    for kind, name in TRAINERS.items():
        trainer = trainer_of(name, configuration, torch.device("cpu"))
        kept[kind] = kept_by(trainer.network, partial(_step, trainer, next(trainer.dataloader_train)))
    return {"kept_bytes": kept, "kept_ratio": round(kept["reports"] / kept["stock"], 3)}


def _step(trainer: Any, batch: dict[str, Any]) -> None:
    with torch.autocast("cpu", torch.bfloat16):  # as wide as the half precision of a GPU
        trainer.train_step(batch)


def kept_by(network: nn.Module, step: Callable[[], Any]) -> int:
    """Bytes that a compiled network keeps for the backward pass, its outputs with them.

    Args:
        network: is compiled by this.
        step: calls it; does not come to its end.
    """
    torch._dynamo.reset()
    found: list[int] = []
    network.compile(backend=_backend(found))
    try:
        step()
    except _Traced:
        pass
    return found[0]


def _backend(found: list[int]) -> Callable[..., Any]:
    """A backend of torch.compile that divides the graphs as inductor does, and stops there."""

    def forward(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> Any:
        found.append(sum(_bytes(node) for node in graph.graph.output_node().args[0]))
        return graph.forward

    def backward(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> Any:
        raise _Traced

    def compiler(graph: fx.GraphModule, inputs: Sequence[Tensor]) -> Any:
        return aot_module_simplified(
            graph,
            inputs,
            fw_compiler=forward,
            bw_compiler=backward,
            partition_fn=min_cut_rematerialization_partition,
        )

    return compiler


def _bytes(node: Any) -> int:
    """Of an output of a graph; inputs that are kept are there anyway."""
    value = node.meta.get("val") if isinstance(node, fx.Node) and node.op != "placeholder" else None
    return value.numel() * value.element_size() if isinstance(value, Tensor) else 0
