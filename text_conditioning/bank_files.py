"""Files of an embedding bank: how they are read, and how they are written so that a kill never leaves half a file."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from text_conditioning.errors import BankError

BANK_VERSION = 1


def sentence_key(sentence: str) -> str:
    """Return the key of a sentence: the sha256 of its UTF-8 text, hexadecimal."""
    return hashlib.sha256(sentence.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class BankIndex:
    """What the index of a bank says about it.

    Attributes:
        fingerprint: Fingerprint of the encoder that filled it.
        encoder: Name of that encoder.
        pooling: Its pooling.
        dim: Length E of a vector.
        count: Number of sentences.
    """

    fingerprint: str
    encoder: str
    pooling: str
    dim: int
    count: int


def read_index(file: Path) -> tuple[BankIndex, list[str]]:
    """Read an index and its keys."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version, keys = content["version"], content["keys"]
        index = BankIndex(
            fingerprint=str(content["fingerprint"]),
            encoder=str(content["encoder"]),
            pooling=str(content["pooling"]),
            dim=int(content["dim"]),
            count=len(keys),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BankError(f"{file} is no index of an embedding bank ({error!r}). Embed the reports again.") from error
    if version != BANK_VERSION:
        raise BankError(f"{file} has bank version {version!r}, expected {BANK_VERSION}. Embed the reports again.")
    return index, keys


def read_rows(file: Path) -> tuple[list[str], torch.Tensor]:
    """Read keys and memory-mapped float16 rows."""
    try:
        with safe_open(str(file), framework="pt") as opened:
            key_bytes, rows = opened.get_tensor("keys"), opened.get_tensor("vectors")
    except (OSError, SafetensorError) as error:
        raise BankError(f"{file} is damaged ({error}). Delete it and embed the reports again.") from error
    if rows.dtype != torch.float16 or rows.ndim != 2 or key_bytes.shape != (len(rows), 32):
        raise BankError(f"{file} holds no sentence vectors. Delete it and embed the reports again.")
    if not torch.isfinite(rows).all():
        raise BankError(f"{file} holds vectors that are not finite. Delete it and embed the reports again.")
    digits = key_bytes.numpy().tobytes().hex()
    return [digits[first : first + 64] for first in range(0, len(digits), 64)], rows


def write_index(file: Path, index: BankIndex, keys: list[str], *, scratch: Path) -> None:
    """Write an index."""
    content = {"version": BANK_VERSION, **dataclasses.asdict(index), "keys": keys}
    _replace(file, (json.dumps(content, indent=1) + "\n").encode(), scratch)


def write_rows(file: Path, keys: list[str], rows: torch.Tensor, *, scratch: Path) -> None:
    """Write keys and rows."""
    key_bytes = torch.frombuffer(bytearray.fromhex("".join(keys)), dtype=torch.uint8) if keys else torch.zeros(0)
    tensors = {"keys": key_bytes.to(torch.uint8).reshape(len(keys), 32), "vectors": rows.contiguous()}
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
        raise BankError(f"Cannot write {file}: {error}. Free space or check the rights, then embed again.") from error
