"""Two scales: one for two CPU cores, one for a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from following.settings import Settings
from following.tasks import SHAPES
from following.variants import VARIANTS

SMALL, FULL = "small", "full"


@dataclass(frozen=True)
class Scale:
    """What is run when nothing else is asked for, and how many runs at the same time."""

    settings: Settings
    tasks: tuple[str, ...]
    variants: tuple[str, ...]
    seeds: tuple[int, ...]
    at_once: int = 1

    def with_options(self, options: Mapping[str, Any]) -> Settings:
        """The settings, with the options that were given (not None)."""
        return replace(self.settings, **{name: value for name, value in options.items() if value is not None})


SCALES = {
    SMALL: Scale(
        Settings(iterations=2400, test_volumes=4),
        tasks=("laterality", "negation"),
        variants=("default", "blind", "no_position"),
        seeds=(0,),
        at_once=2,  # so small a network keeps one core busy, not two
    ),
    FULL: Scale(
        Settings(
            iterations=5000,
            batch_size=16,
            features=32,
            cases=100,
            test_volumes=12,
            step_size=0.5,
            mirroring=True,
            short_recipe=False,
        ),
        tasks=tuple(SHAPES),
        variants=tuple(VARIANTS),
        seeds=(0, 1, 2),
    ),
}
