"""``reportseg info`` shows what is there, without loading torch."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nnunet_reportseg import __version__
from nnunet_reportseg.cli.main import main
from nnunet_reportseg.trainer_folder import trainer_names


def _info(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["info", *arguments])
    assert caught.value.code == 0
    return capsys.readouterr().out


def test_json_has_versions_encoders_trainers_and_banks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("nnUNet_preprocessed", str(tmp_path))
    facts = json.loads(_info(capsys, "--json"))
    assert facts["versions"]["nnunet-reportseg"] == __version__
    assert facts["versions"]["nnunetv2"] == metadata.version("nnunetv2")
    assert [encoder["name"] for encoder in facts["encoders"] if encoder["default"]] == ["minilm"]
    assert {"biomedbert", "cxrbert", "radbert", "qwen3"} <= {encoder["name"] for encoder in facts["encoders"]}
    assert facts["banks"] == []
    assert facts["nnunet_problem"] is None


def test_lists_banks_of_every_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    from text_conditioning.bank import build_bank

    class Lengths:
        name, fingerprint, pooling, dim = "lengths", "0123456789abcdef", "mean", 2

        def encode(self, sentences: list[str], **options: object) -> np.ndarray:
            return np.array([[len(sentence), 1] for sentence in sentences], np.float16)

    build_bank(tmp_path / "Dataset501_A" / "report_embeddings", Lengths(), ["one", "three"])
    monkeypatch.setenv("nnUNet_preprocessed", str(tmp_path))
    assert json.loads(_info(capsys, "--json"))["banks"] == [
        {
            "dataset": "Dataset501_A",
            "encoder": "lengths",
            "fingerprint": "0123456789abcdef",
            "dim": 2,
            "sentences": 2,
        }
    ]


def test_shows_an_unsupported_nnunet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("nnunet_reportseg.compatibility._MINOR", (2, 7))
    assert 'pip install "nnunetv2>=2.8,<2.9"' in json.loads(_info(capsys, "--json"))["nnunet_problem"]


def test_tables_name_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("nnUNet_preprocessed", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    shown = _info(capsys)
    for part in (__version__, "minilm (default)", "trainers", "no embedding banks found"):
        assert part in shown


def test_trainers_are_the_names_the_folder_defines_and_re_exports(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text('"""Trainers."""\n')
    (tmp_path / "a.py").write_text("from x.y import BTrainer, ATrainer_Z, helper\nraise RuntimeError\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "c.py").write_text("class CTrainer:\n    pass\n")
    (tmp_path / "inner" / "d.py").write_text("class DTrainer\n")
    assert trainer_names(tmp_path) == ["ATrainer_Z", "BTrainer", "CTrainer"]


def test_does_not_load_torch() -> None:
    code = (
        "import sys\n"
        "from nnunet_reportseg.cli.info import collect\n"
        "collect()\n"
        "print(sorted({'torch', 'transformers', 'nnunetv2'} & set(sys.modules)))"
    )
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"
