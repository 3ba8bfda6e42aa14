"""Volumes in ml, those of earlier examinations left out, and how finely lengths and volumes are stated."""

from __future__ import annotations

import pytest

from text_conditioning.sizes import find_sizes
from text_conditioning.volumes import StatedVolume, read_volumes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A lesion of 12.3 cc.", [(12.3, 0.1)]),
        ("Volume: 4 ml, and 1,250 mm3.", [(4.0, 1.0), (1.25, 0.001)]),
        ("Volume 3.25 cm^3 (previously 2.5 cm^3).", [(3.25, 0.01)]),
        ("Volume 0,5 cm\u00b3.", [(0.5, 0.1)]),
        ("Increased from 10 cc to 14 cc.", [(14.0, 1.0)]),
        ("A 20 mm nodule of 4.2 cubic centimetres.", [(4.2, 0.1)]),
        ("Contrast at 3 ml/s; a nodule of 12 mm, 5 cm2.", []),
    ],
)
def test_volumes(text: str, expected: list[tuple[float, float]]) -> None:
    found = read_volumes(text)
    assert [(volume.ml, volume.step_ml) for volume in found] == [pytest.approx(pair) for pair in expected]
    assert all(isinstance(volume, StatedVolume) for volume in found)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("8 mm", (1.0,)),
        ("8.3 mm", (0.1,)),
        ("1.2 cm", (1.0,)),
        ("2 cm", (10.0,)),
        ("1.5 x 2 cm", (1.0, 10.0)),
        ("1 1/2 cm", (5.0,)),
        ("one and a half cm", (5.0,)),
        ("two centimetres", (10.0,)),
    ],
)
def test_how_finely_a_length_is_stated(text: str, steps: tuple[float, ...]) -> None:
    (size,) = find_sizes(text)
    assert size.steps_mm == pytest.approx(steps)
