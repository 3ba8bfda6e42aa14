"""What a grounding model says of the smallest component of a finding, changed."""

from __future__ import annotations

import json
from pathlib import Path


def note_smallest_component(model: Path, mm3: float | None) -> None:
    """Write it into the plans of a model folder; None keeps all that a network marks, also one hardly trained."""
    plans = json.loads((model / "plans.json").read_text(encoding="utf-8"))
    plans["report_conditioning"]["smallest_component_mm3"] = mm3
    (model / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
