"""A folder of per-finding predictions against label files: scores, files, categories, and what is refused."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from nnunet_reportseg.cli.main import main
from nnunet_reportseg.finding_files import finding_file_name
from tests.small_dataset import write_dataset_json, write_image, write_sidecar

SHAPE = (4, 6, 20)
SPACING_XYZ = (0.5, 0.5, 2.0)


def _box(*spans: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[tuple(slice(*span) for span in spans)] = 1
    return mask


def _write(file: Path, voxels: np.ndarray, spacing: tuple[float, ...] = SPACING_XYZ) -> None:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(spacing)
    file.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(file))


def write_predictions(folder: Path, masks: Mapping[str, np.ndarray]) -> None:
    """A case's folder as prediction writes it."""
    entries = [{"id": finding, "text": "x", "file": finding_file_name(finding)} for finding in masks]
    for finding, mask in masks.items():
        _write(folder / finding_file_name(finding), mask)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.json").write_text(json.dumps({"findings_version": 1, "findings": entries}))


def _finding(name: str, *values: int) -> dict[str, Any]:
    return {"id": name, "text": f"nodule {name}", "label_values": list(values)}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two overlapping findings and an absent one in case a, one in case b, none in case c; 3 is both, 5 is ignored."""
    dataset = tmp_path / "raw"
    write_dataset_json(dataset, {"background": 0, "finding": [1, 2, 3, 4], "ignore": 5})
    labels = _box((0, 2), (0, 2), (0, 6)) + 2 * _box((0, 2), (0, 2), (4, 10))
    labels[3, 5, 10:] = 5
    _write(dataset / "labelsTr" / "a.nii.gz", labels.astype(np.uint8))
    _write(dataset / "labelsTr" / "b.nii.gz", 4 * _box((1, 3), (1, 3), (0, 10)))
    _write(dataset / "labelsTr" / "c.nii.gz", _box((0, 0)))
    cases = {
        "a": {"report": "x", "findings": [_finding("A", 1, 3), _finding("a", 2, 3), _finding("gone")]},
        "b": {"report": "x", "findings": [_finding("Läsion/1", 4)]},
        "c": {"report": None},
    }
    write_sidecar(tmp_path / "reports.json", cases)
    missed = _box((0, 2), (0, 2), (4, 10))
    missed[3, 5, 10:] = 1  # ignored voxels
    write_predictions(
        tmp_path / "out" / "a", {"A": _box((0, 2), (0, 2), (0, 6)), "a": missed, "gone": _box((2, 4), (4, 6), (0, 3))}
    )
    write_predictions(tmp_path / "out" / "b", {"Läsion/1": _box((1, 3), (1, 3), (5, 15))})
    return tmp_path


def _evaluate(work: Path, protocol: str, *more: Path | str) -> int:
    arguments = ["-p", work / "out", "-r", work / "raw" / "labelsTr", "--reports", work / "reports.json"]
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", "--protocol", protocol, *map(str, arguments), *map(str, more)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_rexgroundingct_scores_overlapping_and_absent_findings(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _evaluate(work, "rexgroundingct") == 0
    data = json.loads((work / "out" / "evaluation_rexgroundingct.json").read_text(encoding="utf-8"))
    rows = [(r["case"], r["finding"], r["dice"], r["status"], r["instances_matched"]) for r in data["findings"]]
    assert rows == [
        ("a", "A", 1.0, "overlap", 1),
        ("a", "a", 1.0, "overlap", 1),
        ("a", "gone", 0.0, "false_positive", 0),
        ("b", "Läsion/1", 0.5, "overlap", 1),
    ]
    summary = data["summary"]
    assert summary["dice"]["value"] == pytest.approx(2.5 / 4)
    assert (summary["dice"]["findings"], summary["dice"]["cases"]) == (4, 2)
    assert summary["instance_precision"]["value"] == pytest.approx(3 / 4)
    assert summary["instance_recall"]["value"] == 1
    assert summary["absent_empty"]["value"] == 0
    assert summary["counts"] == {"overlap": 3, "missed": 0, "false_positive": 1, "both_empty": 0}
    with (work / "out" / "evaluation_rexgroundingct.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    plain = [{k: "" if v is None else str(v) for k, v in row.items()} for row in data["findings"]]
    assert table == plain
    assert "hit_rate" in capsys.readouterr().out


def test_general_measures_in_mm_and_ml(work: Path) -> None:
    assert _evaluate(work, "general", "-o", work / "scores") == 0
    data = json.loads((work / "scores" / "evaluation_general.json").read_text(encoding="utf-8"))
    shifted = data["findings"][3]
    # Ten voxels of 0.5 mm along x, shifted by five.
    assert shifted["hd95_mm"] == pytest.approx(2.5)
    assert shifted["nsd_5mm"] == 1.0
    assert shifted["nsd_1mm"] == pytest.approx(14 / 20)
    assert (shifted["volume_ref_ml"], shifted["volume_error_ml"]) == (pytest.approx(40 * 0.5 / 1000), 0.0)
    gone = data["findings"][2]
    assert (gone["hd95_mm"], gone["nsd_5mm"], gone["relative_volume_error"], gone["lesions_pred"]) == (None, 0, None, 1)
    assert data["summary"]["hd95_mm"]["findings"] == 3
    assert data["summary"]["lesion_precision"]["value"] == pytest.approx(3 / 4)


def test_scores_by_category(work: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    table = "case,finding,category\na,A,[/2b]\na,a,1a\nb,Läsion/1,[/2b]\nother,1,x\n"
    (work / "c.csv").write_text(table, encoding="utf-8")
    assert _evaluate(work, "rexgroundingct", "--categories", work / "c.csv") == 0
    data = json.loads((work / "out" / "evaluation_rexgroundingct.json").read_text(encoding="utf-8"))
    assert {name: group["findings"] for name, group in data["categories"].items()} == {"1a": 1, "[/2b]": 2}
    assert data["categories"]["[/2b]"]["dice"]["value"] == pytest.approx(0.75)
    assert data["categories"]["[/2b]"]["absent_empty"] is None
    assert "1 of 4 findings have no category" in caplog.text
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "[/2b]" in line]
    assert line.replace("│", "").split() == ["[/2b]", "2", "0.750", "1.000", "1.000", "1.000", "1.000"]


def test_categories_of_a_converted_dataset(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        "a": {"categories": {"A": "[/2b]", "a": "1a"}},
        "b": {"categories": {"Läsion/1": "[/2b]"}},
        "other": {"notes": []},
    }
    (work / "conversion.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")
    assert _evaluate(work, "rexgroundingct", "--categories", work / "conversion.json") == 0
    data = json.loads((work / "out" / "evaluation_rexgroundingct.json").read_text(encoding="utf-8"))
    assert {name: group["findings"] for name, group in data["categories"].items()} == {"1a": 1, "[/2b]": 2}
    for facts in ("{}", '{"categories": [1]}', "[]"):
        (work / "conversion.json").write_text(f'{{"cases": {{"a": {facts}}}}}', encoding="utf-8")
        assert _evaluate(work, "rexgroundingct", "--categories", work / "conversion.json") == 2
        assert "holds no categories" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("case,finding\na,A\n", "lacks a column"),
        ("case,finding,category\na,A,\n", "line 2 lacks an entry"),
        ("case,finding,category\na,A,1\na,A,2\n", r"line 3 names a finding again \(found: 'A'\)"),
        ('case,finding,category\na,A,"1\n', "is no CSV"),
        (f"case,finding,category\na,A,{'1' * 200000}\n", "what follows line 1 is no CSV"),
        ("case,finding,category\na,B,1\n", r"case 'a'.*does not declare \(found: 'B'\)"),
    ],
)
def test_tables_of_categories_that_do_not_fit(
    work: Path, table: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (work / "c.csv").write_text(table)
    assert _evaluate(work, "general", "--categories", work / "c.csv") == 2
    assert re.search(named, capsys.readouterr().err)


def _no_folder(work: Path) -> None:
    (work / "out" / "b").rename(work / "out" / "elsewhere")


def _no_index(work: Path) -> None:
    (work / "out" / "b" / "index.json").unlink()


def _missing_finding(work: Path) -> None:
    write_predictions(work / "out" / "a", {"A": _box((0, 1)), "gone": _box((0, 0))})


def _unknown_finding(work: Path) -> None:
    write_predictions(work / "out" / "b", {"Läsion/1": _box((0, 1)), "2": _box((0, 1))})


def _other_grid(work: Path) -> None:
    _write(work / "out" / "b" / finding_file_name("Läsion/1"), _box((0, 1)), spacing=(0.5, 0.5, 2.5))


def _other_shape(work: Path) -> None:
    write_image(work / "out" / "b" / finding_file_name("Läsion/1"), np.zeros((4, 6, 21), np.uint8))


def _no_mask(work: Path) -> None:
    _write(work / "out" / "b" / finding_file_name("Läsion/1"), 2 * _box((0, 1)))


def _lost_value(work: Path) -> None:
    _write(work / "raw" / "labelsTr" / "b.nii.gz", _box((0, 1)))


def _undeclared_value(work: Path) -> None:
    write_dataset_json(work / "raw", {"background": 0, "finding": [1, 2, 3]})


def _no_entry(work: Path) -> None:
    write_sidecar(work / "reports.json", {"a": {"report": None}, "c": {"report": None}})


def _no_findings(work: Path) -> None:
    write_sidecar(work / "reports.json", {case: {"report": None} for case in "abc"})


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_no_folder, "case 'b', file {out}/b: 1 of 2 cases have no folder of predicted findings: b."),
        (_no_index, "{out}/b/index.json: the index of the findings cannot be read"),
        (_missing_finding, "case 'a', file {out}/a/index.json: the index lacks 1 of 3 findings of"),
        (_unknown_finding, "does not declare (found: ['2'])"),
        (
            _other_grid,
            "case 'b', file {out}/b/%4c%c3%a4sion%2f1.nii.gz: reference and prediction of finding 'Läsion/1'",
        ),
        (_other_shape, "differ in shape: (4, 6, 20) and (4, 6, 21)"),
        (_no_mask, "is no mask (found: [0, 2])"),
        (_lost_value, "label values of finding 'Läsion/1' never occur in the label file (found: [4])"),
        (_undeclared_value, "finding 'Läsion/1' has label values that dataset.json does not declare (found: [4])"),
        (_no_entry, "case 'b', file {reports}: 1 case(s) have no entry in the sidecar: b"),
        (_no_findings, "none of the cases has findings"),
    ],
)
def test_what_cannot_be_scored_exits_with_2_and_writes_nothing(
    work: Path, damage: Callable[[Path], None], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(work)
    assert _evaluate(work, "general", "-o", work / "scores") == 2
    message = capsys.readouterr().err
    assert named.format(out=work / "out", reports=work / "reports.json") in message
    assert "Fix: " in message
    assert not (work / "scores").exists()


def test_missing_prediction_folder_and_missing_options(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (work / "out").rename(work / "moved")
    assert _evaluate(work, "general") == 2
    assert "no such folder (found: '--predictions')" in capsys.readouterr().err
    for arguments in (["--protocol", "general"], ["--reports", "reports.json"], ["--protocol", "other"]):
        with pytest.raises(SystemExit) as caught:
            main(["evaluate", "-p", str(work), "-r", str(work), *arguments])
        assert caught.value.code == 2
        assert "--protocol" in capsys.readouterr().err
