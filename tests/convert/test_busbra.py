"""``reportseg convert busbra``: pictures as they were, masks of 0 and 1, templated reports that say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.convert.commands import assert_refused, convert
from tests.convert.phantom import read_json
from tests.convert.pictures import grey_pixels, mask_pixels, read_as_nnunet, write_picture

HEADER = "ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX\n"
LEFT = 'bus_0001-l,1,Fibroadenoma,benign,3,A,17,12,left,"[1, 2, 3, 4]"\n'
RIGHT = 'bus_0002-r,2,IDC,malignant,5,A,17,12,right,"[1, 2, 3, 4]"\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name, colours in (("0001-l", 0), ("0002-r", 3)):
        pixels = np.stack([grey_pixels()] * 3, axis=-1) if colours else grey_pixels()
        write_picture(folder / "Images" / f"bus_{name}.png", pixels)
        write_picture(folder / "Masks" / f"mask_{name}.png", mask_pixels())
    (folder / "bus_data.csv").write_text(HEADER + LEFT + RIGHT, encoding="utf-8")
    return folder


def arguments(source: Path, raw: Path) -> tuple[object, ...]:
    return ("busbra", "-i", source, "-o", raw, "-d", 14, "--copy")


def test_pictures_masks_and_templated_reports(source: Path, tmp_path: Path) -> None:
    assert convert(*arguments(source, tmp_path)) == 0
    folder = tmp_path / "Dataset014_BUSBRA"
    original = source / "Images" / "bus_0001-l.png"
    assert (folder / "imagesTr" / "bus_0001-l_0000.png").read_bytes() == original.read_bytes()
    for case in ("bus_0001-l", "bus_0002-r"):
        np.testing.assert_array_equal(
            read_as_nnunet(folder / "imagesTr" / f"{case}_0000.png"), grey_pixels()[None, None]
        )
        np.testing.assert_array_equal(read_as_nnunet(folder / "labelsTr" / f"{case}.png"), mask_pixels(1)[None, None])
    assert read_json(folder / "reports.json")["cases"] == {
        "bus_0001-l": {
            "report": "FINDINGS: Lesion in the left breast.\nIMPRESSION: BI-RADS category 3, probably benign.",
            "origin": "template",
        },
        "bus_0002-r": {
            "report": "FINDINGS: Lesion in the right breast.\n"
            "IMPRESSION: BI-RADS category 5, highly suggestive of malignancy.",
            "origin": "template",
        },
    }
    assert "Templated reports" in read_json(folder / "dataset.json")["description"]
    notes = {case: facts["notes"] for case, facts in read_json(folder / "conversion.json")["cases"].items()}
    assert notes == {"bus_0001-l": [], "bus_0002-r": ["image: PNG, three equal channels, written as grey PNG"]}


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (HEADER + LEFT + RIGHT.replace(",5,", ",7,"), ("case 'bus_0002-r'", "'BIRADS' is none of", "'7'")),
        (HEADER + LEFT + RIGHT.replace("right", "top"), ("case 'bus_0002-r'", "neither left nor right")),
        (HEADER + LEFT + RIGHT.replace("0002", "0003"), ("case 'bus_0003-r'", "no picture")),
        (HEADER.replace("BIRADS", "Category") + LEFT, ("no column 'BIRADS'",)),
    ],
)
def test_what_does_not_fit_is_named(
    table: str, named: tuple[str, ...], source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "bus_data.csv").write_text(table, encoding="utf-8")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


def test_a_mask_of_another_size(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_picture(source / "Masks" / "mask_0002-r.png", mask_pixels().T.copy())
    named = ("case 'bus_0002-r'", "differ in size: (17, 12) and (12, 17)")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)
