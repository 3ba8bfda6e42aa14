"""A spy on the network of the spy workspace."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import torch

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
        mirrored: for each of them whether the image is that of the mirrored patient.
        worst_coordinate: largest distance between image coordinates, mirrored where the report is, and frame
            coordinates. Without a report the nearer one counts.
    """

    passes: list = field(default_factory=list)
    mirrored: list = field(default_factory=list)
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
    raw: dict[int, tuple[list[dict[int, bool]], list[dict[int, bool]]]] = {}

    def numbers_and_sides(report):
        """For each report the numbers in its sentences, and whether they are about the right side."""
        return [
            {int(v.abs().argmax()): bool(v.sum() < 0) for v, padded in zip(vectors, padding, strict=True) if not padded}
            for vectors, padding in zip(report.vectors, report.padding, strict=True)
        ]

    def spying_set_report(self, report, *, mirrored=None, **kwargs):
        raw[id(self)] = (numbers_and_sides(report), [] if mirrored is None else numbers_and_sides(mirrored))
        return set_report(self, report, mirrored=mirrored, **kwargs)

    def spying_forward(self, x):
        own, mirrored = raw[id(self)] if self.report is not None else ([], [])
        seen = mirrored if self.report is self.mirrored_report else own
        if self.frame is not None and seen:
            coordinates = patient_coordinates(self.frame, x.shape[2:], [1] * (x.ndim - 2))
            for sample in range(len(x)):
                value = x[sample, 0].max()
                inside = x[sample, 0] > value - 1e-3
                said = seen[sample if len(seen) > 1 else 0]
                watch.passes.append((round(value.item() / 100) - 1, set(said)))
                where = coordinates[sample if len(coordinates) > 1 else 0][:, inside]
                image = x[sample, 1:, inside]
                twin = torch.stack((1 - image[0], *image[1:]))
                distances = [float((shown - where).abs().max()) for shown in (image, twin)]
                sides = set(said.values()) or {distances[1] < distances[0]}
                assert len(sides) == 1, f"sides are mixed: {said}"
                watch.mirrored.append(sides.pop())
                watch.worst_coordinate = max(watch.worst_coordinate, distances[watch.mirrored[-1]])
        return forward(self, x)

    monkeypatch.setattr(ReportGuidedUNet, "set_report", spying_set_report)
    monkeypatch.setattr(ReportGuidedUNet, "forward", spying_forward)
    return watch


@pytest.fixture
def no_intensity_augmentation(monkeypatch):
    """Only spatial augmentation, so that the channels stay readable."""
    from batchgeneratorsv2.transforms.utils.random import RandomTransform

    monkeypatch.setattr(RandomTransform, "get_parameters", lambda self, **_: {"apply_transform": False})
