"""``reportseg convert lvit``: QaTa's names (rows name masks) and MosMedData's (rows name images)."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest

from tests.convert.commands import assert_refused, convert
from tests.convert.phantom import read_json
from tests.convert.pictures import grey_pixels, mask_pixels, read_as_nnunet, write_picture

TEXT = "Unilateral pulmonary infection, one infected area, lower left lung."


def write_split(place: Path, rows: dict[str, str]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    table = pandas.DataFrame({"Image": list(rows), "Description": list(rows.values())})
    table.to_excel(place / f"{place.name.split('_')[0]}_text.xlsx", index=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for split, case, prefix, ending in (
        ("Train", "covid_1", "mask_", "png"),
        ("Val", "study_2", "", "jpg"),
        ("Test", "covid_3", "mask_", "png"),
    ):
        place = folder / f"{split}_Folder"
        write_picture(place / "img" / f"{case}.{ending}", grey_pixels())
        write_picture(place / "labelcol" / f"{prefix}{case}.png", mask_pixels())
        write_split(place, {f"{prefix}{case}.png": f"{TEXT} "})
    return folder


def arguments(source: Path, raw: Path) -> tuple[object, ...]:
    return ("lvit", "-i", source, "--channel", "X-ray", "-o", raw, "-d", 15)


def test_pictures_masks_and_splits(source: Path, tmp_path: Path) -> None:
    assert convert(*arguments(source, tmp_path)) == 0
    folder = tmp_path / "Dataset015_LViT"
    original = source / "Train_Folder" / "img" / "covid_1.png"
    assert (folder / "imagesTr" / "covid_1_0000.png").resolve() == original.resolve()
    for split, case in (("Tr", "covid_1"), ("Tr", "study_2"), ("Ts", "covid_3")):
        label = read_as_nnunet(folder / f"labels{split}" / f"{case}.png")
        np.testing.assert_array_equal(label, mask_pixels(1)[None, None])
    decoded = read_as_nnunet(folder / "imagesTr" / "study_2_0000.png")
    jpeg = read_as_nnunet(source / "Val_Folder" / "img" / "study_2.jpg")
    np.testing.assert_array_equal(decoded, jpeg)
    assert read_json(folder / "reports.json")["cases"] == {"covid_1": {"report": TEXT}, "study_2": {"report": TEXT}}
    assert read_json(folder / "imagesTs" / "reports.json")["cases"] == {"covid_3": {"report": TEXT}}
    facts = read_json(folder / "conversion.json")["cases"]["study_2"]
    assert (facts["source_split"], facts["notes"]) == ("Val", ["image: JPEG, decoded, written as grey PNG"])
    assert read_json(folder / "dataset.json")["channel_names"] == {"0": "X-ray"}


def test_excel_without_its_reader(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    named = ("Train_text.xlsx", "openpyxl", "nnunet-reportseg[convert]")
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)


def _no_mask(source: Path) -> None:
    (source / "Test_Folder" / "labelcol" / "mask_covid_3.png").unlink()


def _no_text(source: Path) -> None:
    write_split(source / "Test_Folder", {"mask_covid_4.png": TEXT})


def _empty_text(source: Path) -> None:
    write_split(source / "Test_Folder", {"mask_covid_3.png": ""})


def _no_table(source: Path) -> None:
    (source / "Test_Folder" / "Test_text.xlsx").unlink()


def _no_column(source: Path) -> None:
    pandas.DataFrame({"Image": ["a"], "Text": ["b"]}).to_excel(source / "Test_Folder" / "Test_text.xlsx", index=False)


def _two_rows(source: Path) -> None:
    write_split(source / "Test_Folder", {"mask_covid_3.png": TEXT, "covid_3.png": "Another text."})


def _cut_table(source: Path) -> None:
    file = source / "Test_Folder" / "Test_text.xlsx"
    file.write_bytes(file.read_bytes()[:-200])


def _table_without_xml(source: Path) -> None:
    file = source / "Test_Folder" / "Test_text.xlsx"
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content[: len(content) // 2] if name.endswith(".xml") else content)


def _same_name(source: Path) -> None:
    place = source / "Test_Folder"
    (place / "img" / "covid_3.png").rename(place / "img" / "covid_1.png")
    (place / "labelcol" / "mask_covid_3.png").rename(place / "labelcol" / "mask_covid_1.png")
    write_split(place, {"mask_covid_1.png": TEXT})


def _damaged(source: Path) -> None:
    (source / "Test_Folder" / "img" / "covid_3.png").write_bytes(b"no picture")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (_no_mask, ("case 'covid_3'", "no mask")),
        (_no_text, ("case 'covid_3'", "no description")),
        (_empty_text, ("case 'covid_3'", "empty")),
        (_no_table, ("Test_text.xlsx", "one table")),
        (_two_rows, ("case 'covid_3'", "two rows describe the same image")),
        (_cut_table, ("Test_text.xlsx", "cannot be read")),
        (_table_without_xml, ("Test_text.xlsx", "cannot be read")),
        (_no_column, ("Test_text.xlsx", "no column 'Description'")),
        (_same_name, ("case 'covid_1'", "two cases have the same name")),
        (_damaged, ("case 'covid_3'", "not a readable picture")),
    ],
)
def test_what_does_not_fit_is_named(
    spoil: Callable[[Path], None],
    named: tuple[str, ...],
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(source)
    assert_refused(capsys, tmp_path / "raw", *arguments(source, tmp_path / "raw"), named=named)
