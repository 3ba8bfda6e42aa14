"""``lvit``: the 2D sets with text of LViT, QaTa-COV19 (chest X-ray) and MosMedData+ (CT slices).

Source: Li et al., "LViT: Language meets Vision Transformer in Medical Image Segmentation", IEEE TMI 2023,
https://github.com/HUANGLIZI/LViT.

::

    Train_Folder/ img/  labelcol/  Train_text.xlsx      columns Image, Description; Val_Folder and Test_Folder alike

A row of the table names the image or its mask, and a mask is called like its image, or ``mask_<image>``.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from nnunet_reportseg.convert.case import SourceCase, SourceDataset, Split
from nnunet_reportseg.convert.folder import require_folder, visible
from nnunet_reportseg.convert.pictures import PICTURE_ENDINGS, convert_pictures, find_picture
from nnunet_reportseg.convert.report_texts import require_words
from nnunet_reportseg.convert.table import Row, by_key, read_table
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import CaseEntry

_SPLITS: dict[str, Split] = {"Train": "Tr", "Val": "Tr", "Test": "Ts"}
_IMAGE, _TEXT = "Image", "Description"
_MASK = "mask_"


def read_lvit(folder: Path, *, channel: str) -> SourceDataset:
    """Find the cases: those of ``Train_Folder`` and ``Val_Folder`` for training, ``Test_Folder`` held out.

    Args:
        folder: The folder that holds ``Train_Folder``.
        channel: Name of the image channel, for example ``X-ray``.

    Raises:
        DatasetError: A folder, table, mask or description is missing.
    """
    require_folder(folder / "Train_Folder")
    cases = []
    for name, split in _SPLITS.items():
        place = folder / f"{name}_Folder"
        if place.is_dir():
            cases += _cases(place, name, split)
    return SourceDataset(
        converter="lvit",
        cases=cases,
        file_ending=".png",
        description="2D images with short descriptions that LViT added: number, side and place of infected areas",
        reference="https://github.com/HUANGLIZI/LViT (IEEE TMI 2023)",
        licence="that of the image set (QaTa-COV19 or MosMedData+)",
        channels=(channel,),
        labels={"finding": (1,)},
    )


def _cases(place: Path, name: str, split: Split) -> list[SourceCase]:
    require_folder(place / "img")
    require_folder(place / "labelcol")
    # Excel leaves "~$..." beside a table that is open
    tables = [file for file in visible(place) if file.match("*_text.xlsx") and not file.name.startswith("~")]
    if len(tables) != 1:
        raise DatasetError.about(
            "there must be one table of descriptions",
            file=place / f"{name}_text.xlsx",
            value=[file.name for file in tables],
            fix="put the table of LViT there",
        )
    rows = by_key(read_table(tables[0], (_IMAGE, _TEXT)), _IMAGE, tables[0])
    texts: dict[str, Row] = {}
    for image, row in rows.items():
        if _stem(image) in texts:
            raise DatasetError.about(
                "two rows describe the same image",
                case=_stem(image),
                file=tables[0],
                value=image,
                fix="keep one of them",
            )
        texts[_stem(image)] = row
    images = [file for file in visible(place / "img") if file.suffix.lower() in PICTURE_ENDINGS]
    return [_case(image, texts, tables[0], place, name, split) for image in images]


def _stem(image: str) -> str:
    return Path(image).stem.removeprefix(_MASK)


def _case(image: Path, texts: dict[str, Row], table: Path, place: Path, name: str, split: Split) -> SourceCase:
    case = image.stem
    if case not in texts:
        raise DatasetError.about(
            "the table has no description of the image", case=case, file=table, value=image.name, fix="add its row"
        )
    text = require_words(texts[case][_TEXT], case=case, file=table)
    masks = place / "labelcol"
    mask = find_picture(masks, f"{_MASK}{case}") or find_picture(masks, case)
    if mask is None:
        raise DatasetError.about(
            "the image has no mask", case=case, file=masks / f"{_MASK}{case}.png", fix="add it, or remove the image"
        )
    entry = CaseEntry(report=text)
    convert = partial(convert_pictures, case=case, image=image, mask=mask, entry=entry)
    return SourceCase(case, (image, mask), entry, convert, split, {"source_split": name})
