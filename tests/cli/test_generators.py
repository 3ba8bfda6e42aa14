"""The two generator commands write what their options say and import nothing heavy before they run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import SimpleITK as sitk
import typer
from typer.testing import CliRunner

from nnunet_reportseg.cli import implants, phantom
from nnunet_reportseg.cli.main import main
from tests.data.synthetic_ct import write_chest, write_nodules


def run(command: object, *arguments: object) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_phantom_options(tmp_path: Path) -> None:
    output = run(
        phantom.command, "-d", 7, "--name", "Toy", "-o", tmp_path, "--cases", 2, "--test-volumes", 1,
        "--shape", 20, 44, 48, "--spacing", 6, 5, 4, "--lesions", 3, 3, "--seed", 4,
    )  # fmt: skip
    folder = tmp_path / "Dataset007_Toy"
    assert str(folder) in output.replace("\n", "")
    manifest = json.loads((folder / "phantom.json").read_text())
    assert (manifest["seed"], manifest["shape"], manifest["spacing_mm"]) == (4, [20, 44, 48], [6, 5, 4])
    assert [len(volume["lesions"]) for volume in manifest["volumes"].values()] == [3, 3, 3]


def test_phantom_writes_to_nnunet_raw_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    run(phantom.command, "--cases", 1, "--test-volumes", 0)
    assert (tmp_path / "Dataset501_ReportPhantom" / "dataset.json").is_file()


def test_phantom_tasks_and_margin(tmp_path: Path) -> None:
    run(
        phantom.command, "-o", tmp_path, "--cases", 1, "--test-volumes", 1, "--task", "laterality",
        "--shape", 24, 44, 92, "--spacing", 8, 4, 4, "--clear-margin", 7, 11, 11,
    )  # fmt: skip
    manifest = json.loads((tmp_path / "Dataset501_ReportPhantom" / "phantom.json").read_text())
    assert (manifest["task"], manifest["clear_margin"]) == ("laterality", [7, 11, 11])


def test_findings_that_overlap(tmp_path: Path) -> None:
    output = run(phantom.command, "-o", tmp_path, "--cases", 1, "--test-volumes", 2, "--task", "findings")
    assert "2 test volumes, one test case per volume" in " ".join(output.split())
    folder = tmp_path / "Dataset501_ReportPhantom"
    assert json.loads((folder / "phantom.json").read_text())["task"] == "findings"
    assert len(list((folder / "imagesTs").glob("*_0000.nii.gz"))) == 2


@pytest.mark.parametrize(
    "options",
    [("--task", "sise"), ("--task", "size", "--lesions", 2, 4), ("--clear-margin", 7, 11, 11),
     ("--clear-margin", -1, 0, 0), ("--task", "negation", "--clear-margin", 300, 300, 300)],
)  # fmt: skip
def test_phantom_options_that_do_not_fit_exit_with_2_and_write_nothing(
    options: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["phantom", "-o", str(tmp_path), *map(str, options)])
    assert caught.value.code == 2
    assert re.search(r"Fix: |Invalid value", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_implants_options(tmp_path: Path) -> None:
    ct, nodules = write_chest(tmp_path / "ct.nii.gz"), write_nodules(tmp_path / "nodules")
    run(
        implants.command, "--volumes", ct, "--nodules", nodules, "-o", tmp_path, "-d", 8, "--cases", 1,
        "--test-volumes", 1, "--spacing", 7, 6, 5.5, "--lesions", 2, 2, "--min-voxels", 10, "--seed", 3,
    )  # fmt: skip
    folder = tmp_path / "Dataset008_ReportImplants"
    image = sitk.ReadImage(str(folder / "imagesTr" / "train_000_0000.nii.gz"))
    assert image.GetSpacing() == pytest.approx((5.5, 6, 7))
    assert json.loads((folder / "implants.json").read_text())["seed"] == 3
    assert len(list((folder / "imagesTs").glob("*_0000.nii.gz"))) == 2


@pytest.mark.parametrize("command", ["phantom", "implants"])
@pytest.mark.parametrize("option", [("--seed", -1), ("--spacing", "nan", 8, 8), ("--cases", 0), ("--dataset", 0)])
def test_options_out_of_range_exit_with_2_and_write_nothing(
    command: str, option: tuple[object, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = ["--volumes", "ct.nii.gz", "--nodules", "nodules"] if command == "implants" else []
    with pytest.raises(SystemExit) as caught:
        main([command, "-o", str(tmp_path), *inputs, *map(str, option)])
    assert caught.value.code == 2
    assert "Fix: " in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_modules_are_light() -> None:
    code = (
        "import sys, nnunet_reportseg.cli.phantom, nnunet_reportseg.cli.implants, nnunet_reportseg.data;"
        "print([m for m in ('torch', 'numpy', 'SimpleITK', 'scipy') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
