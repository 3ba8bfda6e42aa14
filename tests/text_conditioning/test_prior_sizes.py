"""Current sizes apart from those of earlier examinations."""

from __future__ import annotations

import pytest

from text_conditioning.prior_sizes import Sizes, read_sizes
from text_conditioning.sizes import read_sizes_mm


@pytest.mark.parametrize(
    ("text", "current", "prior"),
    [
        ("1.2 cm nodule (previously 0.8 cm).", (12.0,), (8.0,)),
        ("The nodule increased from 6 mm to 9 mm.", (9.0,), (6.0,)),
        ("The nodule increased from 6 to 9 mm.", (9.0,), (6.0,)),
        ("Decreased to 9 mm from 12 mm.", (9.0,), (12.0,)),
        ("Decreased from 2.1 x 1.5 cm to 1.4 x 1.0 cm.", (14.0, 10.0), (21.0, 15.0)),
        ("Ranging from 3 mm to 5 mm.", (3.0, 5.0), ()),
        ("A 3 mm nodule, 5 cm from the carina.", (3.0, 50.0), ()),
        ("Increased by 3 mm to 12 mm.", (12.0,), ()),
        ("Nodule of 12 mm; it was 8 mm in the previous examination.", (12.0,), (8.0,)),
        ("Nodule 22 mm, 18 mm at previous study.", (22.0,), (18.0,)),
        ("Nodule of 12 mm, formerly 8 mm.", (12.0,), (8.0,)),
        ("Previously 8 mm nodule now measures 12 mm.", (12.0,), (8.0,)),
        ("Previously described 8 mm nodule is stable.", (8.0,), ()),
        ("Previously seen 12 mm nodule is now 8 mm.", (8.0,), (12.0,)),
        ("8 mm nodule, unchanged from prior.", (8.0,), ()),
        ("An 8 mm nodule, also present in the previous examination.", (8.0,), ()),
        ("An 8 mm nodule, not seen in the previous examination.", (8.0,), ()),
        ("In the previous examination, diameters were 8 mm and 5 mm.", (), (8.0, 5.0)),
        ("It was 14 mm in the current and 12 mm in the previous examination.", (14.0,), (12.0,)),
        ("Nodule 9 mm (6 mm on 3/4/2019).", (9.0,), (6.0,)),
        ("Nodule of 6 mm -> 9 mm.", (9.0,), (6.0,)),
        ("14 mm, compared to 10 mm previously", (14.0,), (10.0,)),
        ("Was 2.3 cm, today 3 cm.", (30.0,), (23.0,)),
        ("19 mm on the right (44 mm before) and 5 mm on the left (15 mm before)", (19.0, 5.0), (44.0, 15.0)),
    ],
)
def test_current_and_prior(text: str, current: tuple[float, ...], prior: tuple[float, ...]) -> None:
    assert read_sizes(text) == Sizes(current, prior)


@pytest.mark.parametrize("text", ["Subcentimetre nodes.", "1-2 millimetric nodules.", "No size is given."])
def test_words_of_size_give_no_number(text: str) -> None:
    assert read_sizes(text) == Sizes()


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("3.5 (TR) x 4.2 (AP) x 5 (CC) cm", (35.0, 42.0, 50.0)),
        ("a .8 cm nodule", (8.0,)),
        ("13 mm in segment 8 and 11 mm in segment 2", (13.0, 11.0)),
        ("in segment 8 and 11 mm", (11.0,)),
        ("31mm, 25, and 24mm", (31.0, 25.0, 24.0)),
        ("growth of 2 mm/year, pressure 10 cm H2O", ()),
    ],
)
def test_all_lengths_with_a_unit(text: str, sizes: tuple[float, ...]) -> None:
    assert read_sizes_mm(text) == sizes
