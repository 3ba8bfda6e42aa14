"""Writes a converted dataset: images, labels, ``dataset.json``, ``reports.json`` and ``conversion.json``.

Everything is written to a hidden folder beside the dataset and moved into place when all of it is there, each case
first to a folder of its own. A run that was stopped, or that met a case it cannot convert, is started again with the
same command and goes on where it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from nnunet_reportseg.atomic_write import write_text
from nnunet_reportseg.convert.case import CaseTarget, Converted, SourceCase, SourceDataset
from nnunet_reportseg.convert.labels import dataset_labels, require_declared
from nnunet_reportseg.convert.records import fingerprint, read_record, write_record
from nnunet_reportseg.errors import DatasetError
from nnunet_reportseg.sidecar import SIDECAR_NAME, Sidecar
from nnunet_reportseg.text_file import unusable_character
from nnunet_reportseg.version import __version__

CONVERSION_JSON = "conversion.json"


def write_dataset(
    source: SourceDataset,
    raw_root: Path,
    *,
    dataset_id: int,
    name: str,
    copy: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write a raw nnU-Net dataset.

    Args:
        source: The dataset, from a converter.
        raw_root: The folder of raw datasets (``nnUNet_raw``).
        dataset_id: Number of the new dataset, 1 to 999.
        name: Name after the number.
        copy: Copy files that stay as they are; otherwise they are linked (symbolic links).
        progress: Called with the number of cases done and the number of all.

    Returns:
        The folder ``DatasetXXX_Name``.

    Raises:
        DatasetError: The number or name cannot be used, cases share a name, or a case cannot be converted.
    """
    folder = _new_folder(Path(raw_root), dataset_id, name)
    _require_case_names(source)
    partial = folder.parent / f".{folder.name}.partial"
    new = partial / "dataset"
    done: dict[str, Converted] = {}
    for number, case in enumerate(source.cases, start=1):
        record = partial / "cases" / f"{case.case_id}.json"
        found = fingerprint(case, ending=source.file_ending, copy=copy)
        converted = read_record(record, found)
        if converted is None:
            record.unlink(missing_ok=True)
            converted = _convert(case, source, new, partial / "writing", copy=copy)
            write_record(record, found, converted)
        require_declared(converted.values, source.labels, case=case.case_id, file=case.inputs[-1])
        done[case.case_id] = converted
        if progress is not None:
            progress(number, len(source.cases))
    _remove_others(source, new)
    _finish(source, done, new, name, copy=copy)
    new.rename(folder)
    shutil.rmtree(partial)
    return folder


def _new_folder(raw_root: Path, dataset_id: int, name: str) -> Path:
    if unusable_character(str(raw_root)) is not None:
        raise DatasetError.about("the path is not UTF-8", file=raw_root, fix="choose another folder")
    if not 1 <= dataset_id <= 999:
        raise DatasetError.about("dataset id out of range", value=dataset_id, fix="choose 1 to 999")
    if not name.isidentifier():
        raise DatasetError.about("unusable dataset name", value=name, fix="use letters, digits and _ only")
    existing = sorted(raw_root.glob(f"Dataset{dataset_id:03d}_*"))
    if existing:
        raise DatasetError.about(
            f"dataset id {dataset_id} is taken", file=existing[0], fix="choose another id or move that folder away"
        )
    return raw_root / f"Dataset{dataset_id:03d}_{name}"


def _require_case_names(source: SourceDataset) -> None:
    seen: set[str] = set()
    for case in source.cases:
        name = case.case_id
        if not name or name.startswith(".") or "/" in name or "\\" in name or unusable_character(name) is not None:
            raise DatasetError.about("the name of the case cannot be used", case=name, value=name, fix="rename it")
        if name in seen:
            raise DatasetError.about(
                "two cases have the same name", case=name, file=case.inputs[0], fix="rename one of them"
            )
        seen.add(name)
    if not any(case.split == "Tr" for case in source.cases):
        raise DatasetError.about("there are no training cases", fix="check the folders that were given")


def _convert(case: SourceCase, source: SourceDataset, new: Path, writing: Path, *, copy: bool) -> Converted:
    shutil.rmtree(writing, ignore_errors=True)
    writing.mkdir(parents=True)
    target = CaseTarget(writing, source.file_ending, copy)
    converted = case.convert(target)
    for file, place in _places(case, source, new, target):
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    writing.rmdir()
    return converted


def _places(case: SourceCase, source: SourceDataset, new: Path, target: CaseTarget) -> list[tuple[Path, Path]]:
    """Files of a case with the places where they belong in the dataset."""
    images = [
        (target.image(i), new / f"images{case.split}" / f"{case.case_id}_{i:04d}{source.file_ending}")
        for i in range(len(source.channels))
    ]
    return [*images, (target.label, new / f"labels{case.split}" / f"{case.case_id}{source.file_ending}")]


def _remove_others(source: SourceDataset, new: Path) -> None:
    """Remove what an earlier, unfinished run wrote and the source no longer has."""
    unused = CaseTarget(new, source.file_ending, copy=False)
    wanted = {place for case in source.cases for _, place in _places(case, source, new, unused)}
    for file in new.glob("*/*"):
        if file not in wanted:
            file.unlink()


def _finish(source: SourceDataset, done: Mapping[str, Converted], new: Path, name: str, *, copy: bool) -> None:
    from nnunetv2.dataset_conversion.generate_dataset_json import generate_dataset_json

    values = {case: converted.values for case, converted in done.items()}
    labels, order = dataset_labels(values, source.labels, ignore_label=source.ignore_label)
    generate_dataset_json(
        str(new),
        channel_names={str(i): channel for i, channel in enumerate(source.channels)},
        labels=labels,
        num_training_cases=sum(case.split == "Tr" for case in source.cases),
        file_ending=source.file_ending,
        regions_class_order=order,
        dataset_name=name,
        reference=source.reference,
        description=source.description,
        license=source.licence,
        converted_by=f"reportseg convert {source.converter} {__version__}",
    )
    for split, place in (("Tr", new), ("Ts", new / "imagesTs")):
        entries = {case.case_id: done[case.case_id].entry for case in source.cases if case.split == split}
        if entries:
            Sidecar(entries, path=place / SIDECAR_NAME).write(place / SIDECAR_NAME)
    cases = {
        case.case_id: {
            "split": case.split,
            "sources": [str(path) for path in case.inputs],
            "notes": list(done[case.case_id].notes),
            **case.facts,
        }
        for case in source.cases
    }
    content = {
        "converter": source.converter,
        "reportseg": __version__,
        "unchanged_files": "copied" if copy else "linked",
        "cases": cases,
    }
    write_text(new / CONVERSION_JSON, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
