"""Files of an embedding bank: how they are read, and how they are written so that a kill never leaves half a file."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from text_conditioning.errors import BankError

BANK_VERSION = 2
_AGAIN = "embed the reports again"
KEY_BYTES = 32


def sentence_key(sentence: str) -> str:
    """Return the key of a sentence: the sha256 of its UTF-8 text, hexadecimal."""
    return hashlib.sha256(sentence.encode("utf-8")).hexdigest()


def key_bytes(keys: Sequence[str]) -> NDArray[np.uint8]:
    """Return hexadecimal keys as bytes ``(N, 32)``."""
    return np.frombuffer(bytearray.fromhex("".join(keys)), dtype=np.uint8).reshape(len(keys), KEY_BYTES)


@dataclass(frozen=True)
class BankIndex:
    """What the index of a bank says about it.

    Attributes:
        fingerprint: Fingerprint of the encoder that filled it.
        encoder: Name of that encoder.
        pooling: Its pooling.
        dim: Length E of a vector.
        count: Number of sentences.
        keys_sha256: Of all their keys in order: tells whether the index belongs to a data file.
    """

    fingerprint: str
    encoder: str
    pooling: str
    dim: int
    count: int
    keys_sha256: str


def read_index(file: Path) -> BankIndex:
    """Read an index."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = content["version"]
        index = BankIndex(
            fingerprint=str(content["fingerprint"]),
            encoder=str(content["encoder"]),
            pooling=str(content["pooling"]),
            dim=int(content["dim"]),
            count=int(content["count"]),
            keys_sha256=str(content["keys_sha256"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BankError.about(f"{file} is no index of an embedding bank ({error!r})", fix=_AGAIN) from error
    if version != BANK_VERSION:
        raise BankError.about(f"{file} has bank version {version!r}, expected {BANK_VERSION}", fix=_AGAIN)
    return index


def digest(keys: NDArray[np.uint8]) -> str:
    """Return the sha256 of keys ``(N, 32)``, hexadecimal."""
    return hashlib.sha256(keys.tobytes()).hexdigest()


def map_rows(file: Path) -> tuple[NDArray[np.uint8], torch.Tensor]:
    """Map keys ``(N, 32)`` and float16 rows ``(N, E)``; what is not looked at is not read."""
    try:
        with safe_open(str(file), framework="pt") as opened:
            keys, rows = opened.get_tensor("keys"), opened.get_tensor("vectors")
    except (OSError, SafetensorError) as error:
        raise BankError.about(f"{file} is damaged ({error})", fix=f"delete it and {_AGAIN}") from error
    if rows.dtype != torch.float16 or rows.ndim != 2 or keys.shape != (len(rows), KEY_BYTES):
        raise BankError.about(f"{file} holds no sentence vectors", fix=f"delete it and {_AGAIN}")
    return keys.to(torch.uint8).numpy(), rows


def require_finite(file: Path, rows: torch.Tensor) -> None:
    """Refuse rows with values that are no numbers.

    Raises:
        BankError: There are such; names the file.
    """
    if not torch.isfinite(rows).all():
        raise BankError.about(f"{file} holds vectors that are not finite", fix=f"delete it and {_AGAIN}")


def read_rows(file: Path) -> tuple[list[str], torch.Tensor]:
    """Read the hexadecimal keys and the rows, and check all of them."""
    keys, rows = map_rows(file)
    require_finite(file, rows)
    digits = keys.tobytes().hex()
    return [digits[first : first + 64] for first in range(0, len(digits), 64)], rows


def write_index(file: Path, index: BankIndex, *, scratch: Path) -> None:
    """Write an index."""
    content = {"version": BANK_VERSION, **dataclasses.asdict(index)}
    _replace(file, (json.dumps(content, indent=1) + "\n").encode(), scratch)


def write_rows(file: Path, keys: list[str], rows: torch.Tensor, *, scratch: Path) -> None:
    """Write keys and rows."""
    tensors = {"keys": torch.from_numpy(key_bytes(keys)), "vectors": rows.contiguous()}
    # one metadata entry: the order of several is not fixed, and the bytes shall be
    _replace(file, save_tensors(tensors, metadata={"reportseg_bank_version": str(BANK_VERSION)}), scratch)


def _replace(file: Path, content: bytes, scratch: Path) -> None:
    """Put a file in place in one step that survives a crash; what a kill leaves behind lies in the scratch folder."""
    unfinished = scratch / f"{file.name}.{os.getpid()}.tmp"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(unfinished, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise BankError.about(
            f"Cannot write {file}: {error}", fix="free space or check the rights, then embed again"
        ) from error
