"""A spy on the network of the spy workspace."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from nnunet_reportseg.network.report_guided_unet import ReportGuidedUNet
from tests.spy_trainer import make_trainer
from tests.spy_workspace import CASES
from text_conditioning.position import patient_coordinates

__all__ = ["make_trainer"]


@dataclass
class Spy:
    """What the network saw.

    Attributes:
        passes: for each forward pass and sample, (case by image, cases by report).
        worst_coordinate: largest distance between image coordinates and frame coordinates.
    """

    passes: list = field(default_factory=list)
    worst_coordinate: float = 0.0

    @property
    def cases(self):
        return {case for case, _ in self.passes}

    def check(self, *, null_allowed=False):
        assert self.passes
        for case, reported in self.passes:
            if null_allowed and not reported:
                continue
            assert reported, f"case {case} was seen without a report"
            assert {number % CASES for number in reported} == {case}


@pytest.fixture
def spy(monkeypatch):
    watch = Spy()
    set_report, forward = ReportGuidedUNet.set_report, ReportGuidedUNet.forward
    raw: dict[int, list[set[int]]] = {}

    def spying_set_report(self, report, **kwargs):
        raw[id(self)] = [
            {int(v.argmax()) for v, padded in zip(vectors, padding, strict=True) if not padded}
            for vectors, padding in zip(report.vectors, report.padding, strict=True)
        ]
        return set_report(self, report, **kwargs)

    def spying_forward(self, x):
        seen = raw[id(self)] if self.report is not None else []
        if self.frame is not None and seen:
            coordinates = patient_coordinates(self.frame, x.shape[2:], [1] * (x.ndim - 2))
            for sample in range(len(x)):
                value = x[sample, 0].max()
                inside = x[sample, 0] > value - 1e-3
                watch.passes.append((round(value.item() / 100) - 1, seen[sample if len(seen) > 1 else 0]))
                where = coordinates[sample if len(coordinates) > 1 else 0]
                distance = (x[sample, 1:] - where).abs()[:, inside].max()
                watch.worst_coordinate = max(watch.worst_coordinate, float(distance))
        return forward(self, x)

    monkeypatch.setattr(ReportGuidedUNet, "set_report", spying_set_report)
    monkeypatch.setattr(ReportGuidedUNet, "forward", spying_forward)
    return watch


@pytest.fixture
def no_intensity_augmentation(monkeypatch):
    """Only spatial augmentation, so that the channels stay readable."""
    from batchgeneratorsv2.transforms.utils.random import RandomTransform

    monkeypatch.setattr(RandomTransform, "get_parameters", lambda self, **_: {"apply_transform": False})
