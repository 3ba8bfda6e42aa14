"""``reportseg evaluate`` writes both files and exits with 2 where it cannot score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nnunet_reportseg.cli.evaluate import Protocol
from nnunet_reportseg.cli.main import main
from nnunet_reportseg.evaluation.finding_evaluation import PROTOCOLS
from tests.small_dataset import write_dataset_json, write_image, write_raw_dataset


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    predictions, references = tmp_path / "predictions", tmp_path / "references"
    voxels = np.zeros((2, 2, 2), np.uint8)
    write_image(predictions / "a.nii.gz", voxels)
    write_image(references / "a.nii.gz", voxels)
    return predictions, references


def _evaluate(*arguments: Path | str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", *map(str, arguments)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_takes_labels_from_the_predictions_folder(folders: tuple[Path, Path]) -> None:
    predictions, references = folders
    write_dataset_json(predictions, {"background": 0, "nodule": 1})
    assert _evaluate("-p", predictions, "-r", references) == 0
    summary = json.loads((predictions / "evaluation.json").read_text())["summary"]
    assert summary["nodule"]["counts"]["both_empty"] == 1
    assert (predictions / "evaluation.csv").read_text().splitlines()[1] == "a,nodule,1.0,0,0,0,both_empty"


def test_takes_labels_from_a_dataset_and_writes_where_told(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions, references = folders
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    write_raw_dataset(tmp_path)
    assert _evaluate("-p", predictions, "-r", references, "-d", "501", "-o", tmp_path / "out") == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"evaluation.csv", "evaluation.json"}
    assert "finding" in capsys.readouterr().out


def test_label_names_are_no_markup(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    predictions, references = folders
    write_dataset_json(predictions, {"background": 0, "[/red]": 1})
    assert _evaluate("-p", predictions, "-r", references) == 0
    assert "[/red]" in capsys.readouterr().out


def test_missing_dataset_json_exits_with_2(folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    predictions, references = folders
    assert _evaluate("-p", predictions, "-r", references) == 2
    assert f"{predictions / 'dataset.json'}: the file cannot be read" in capsys.readouterr().err


def test_missing_prediction_exits_with_2_and_writes_nothing(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions, references = folders
    write_dataset_json(predictions, {"background": 0, "nodule": 1})
    write_image(references / "b.nii.gz", np.zeros((2, 2, 2), np.uint8))
    assert _evaluate("-p", predictions, "-r", references, "-o", tmp_path / "out") == 2
    assert "case 'b'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_missing_folder_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _evaluate("-p", tmp_path / "none", "-r", tmp_path) == 2
    assert "no such folder (found: '--predictions')" in capsys.readouterr().err


def test_every_protocol_of_findings_can_be_chosen() -> None:
    assert [protocol.value for protocol in Protocol] == ["labels", *PROTOCOLS]
