"""Bank of sentence vectors on disk: one row per unique sentence, no report text.

`<folder>/<fingerprint>.safetensors` holds the float16 rows and the sha256 keys of their sentences, sorted by key;
`<fingerprint>.json` is its index. Keys and rows are memory-mapped, so that opening a large bank takes next to nothing.
Every file is written elsewhere and moved to its place, so a reader sees the old or the new one. Finished chunks wait
in `<fingerprint>.parts/`: a build that was killed goes on from them and ends with the same bytes as one that was not.
A reader refuses a damaged bank, a build replaces it.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from text_conditioning.bank_files import (
    KEY_BYTES,
    BankIndex,
    digest,
    key_bytes,
    map_rows,
    read_index,
    read_rows,
    require_finite,
    sentence_key,
    write_index,
    write_rows,
)
from text_conditioning.encoders import TextEncoder
from text_conditioning.errors import BankError

__all__ = ["BankIndex", "EmbeddingBank", "Team", "build_bank", "sentence_key"]
_log = logging.getLogger(__name__)
_KEY = f"S{KEY_BYTES}"  # a key as one value that can be searched for


class EmbeddingBank:
    """Read access to a bank. Can be pickled: the copy opens the same files.

    Attributes:
        folder: Folder of the bank.
        index: What its index says.
    """

    def __init__(self, folder: Path, index: BankIndex, keys: NDArray[np.uint8], rows: torch.Tensor) -> None:
        """Wrap opened files; use `open` instead."""
        self.folder = folder
        self.index = index
        self._keys = np.ascontiguousarray(keys).view(_KEY).ravel()
        self._rows = rows

    @classmethod
    def open(cls, folder: Path, fingerprint: str) -> EmbeddingBank:
        """Open the bank of an encoder.

        Args:
            folder: Folder of the banks.
            fingerprint: Fingerprint of the encoder.

        Returns:
            The bank.

        Raises:
            BankError: If there is none with this fingerprint, or it is damaged.
        """
        folder = Path(folder)
        data_file, index_file = _files(folder, fingerprint)
        for file in (data_file, index_file):
            if not file.is_file():
                found = ", ".join(f"{i.fingerprint} ({i.encoder})" for i in cls.available(folder)) or "none"
                raise BankError.about(
                    f"No embedding bank for the encoder fingerprint {fingerprint}: {file} is missing; banks there: "
                    f"{found}",
                    fix="embed the reports with the encoder the model was trained with",
                )
        index = read_index(index_file)
        keys, rows = map_rows(data_file)
        described = index.fingerprint, index.keys_sha256, (index.count, index.dim)
        if described != (fingerprint, digest(keys), tuple(rows.shape)):
            raise BankError.about(
                f"{index_file} does not describe {data_file}", fix="embed the reports again to repair it"
            )
        return cls(folder, index, keys, rows)

    @staticmethod
    def exists(folder: Path, fingerprint: str) -> bool:
        """Tell whether there is a bank of this encoder, sound or damaged."""
        return any(file.exists() for file in _files(Path(folder), fingerprint))

    @staticmethod
    def available(folder: Path) -> list[BankIndex]:
        """List the banks of a folder by their indices; an unreadable index is logged and left out."""
        found: list[BankIndex] = []
        for file in sorted(Path(folder).glob("*.json")):
            try:
                found.append(read_index(file))
            except BankError as error:
                _log.warning("Left out: %s", error.problem)
        return found

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the encoder that filled the bank."""
        return self.index.fingerprint

    @property
    def encoder(self) -> str:
        """Name of that encoder."""
        return self.index.encoder

    @property
    def dim(self) -> int:
        """Length E of a vector."""
        return self.index.dim

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self._keys)

    def __contains__(self, sentence: str) -> bool:
        """Tell whether the bank has a vector for the sentence."""
        return not self.missing([sentence])

    def __reduce__(self) -> tuple[Callable[[Path, str], EmbeddingBank], tuple[Path, str]]:
        """Pickle as the place of the files, so that a worker maps them instead of copying the rows."""
        return EmbeddingBank.open, (self.folder, self.fingerprint)

    def missing(self, sentences: Iterable[str]) -> list[str]:
        """Return the sentences without a vector, each once, in order of appearance."""
        unique = list(dict.fromkeys(sentences))
        return [sentence for sentence, row in zip(unique, self._find(unique), strict=True) if row < 0]

    def vectors(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Look up vectors.

        Args:
            sentences: N sentences.

        Returns:
            Vectors (N, E) in the order given.

        Raises:
            BankError: If a sentence has no vector; names the first one's key and how many there are. If a vector is
                damaged; names the file.
        """
        missing = self.missing(sentences)
        if missing:
            raise BankError.about(
                f"The embedding bank {self.fingerprint} in {self.folder} lacks {len(missing)} of the sentences asked "
                f"for, the first has the key {sentence_key(missing[0])}",
                fix="embed the reports again",
            )
        rows = self._rows[torch.from_numpy(self._find(sentences))]
        require_finite(_files(self.folder, self.fingerprint)[0], rows)
        found: NDArray[np.float32] = rows.float().numpy()
        return found

    def _find(self, sentences: Sequence[str]) -> NDArray[np.int64]:
        """Rows of sentences, -1 for those that are not there."""
        wanted = key_bytes([sentence_key(sentence) for sentence in sentences]).view(_KEY).ravel()
        if not len(self._keys):
            return np.full(len(sentences), -1, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[rows] == wanted, rows, -1).astype(np.int64)


class Team(Protocol):
    """Processes that build a bank together.

    Attributes:
        rank: Number of this process, from 0.
        size: Number of processes.
    """

    @property
    def rank(self) -> int: ...  # noqa: D102

    @property
    def size(self) -> int: ...  # noqa: D102

    def wait(self) -> None:
        """Return when all processes have called this."""
        ...


def build_bank(
    folder: Path,
    encoder: TextEncoder,
    sentences: Iterable[str],
    *,
    chunk_size: int = 256,
    progress: Callable[[int, int], None] | None = None,
    team: Team | None = None,
) -> EmbeddingBank:
    """Encode the sentences a bank lacks and add them; go on where a killed build stopped.

    A bank on disk that is damaged is logged and built anew. The processes of a team share the chunks, and the first of
    them puts the bank together; it has the bytes that one process would have given it.

    Args:
        folder: Folder of the banks; made if needed.
        encoder: The encoder; its fingerprint names the bank.
        sentences: Sentences wanted; repeated ones count once.
        chunk_size: Sentences that are encoded and kept at a time.
        progress: Called after each chunk with the number of new sentences done and to be done by this process.
        team: Processes that build this bank together, each with the same arguments; none for this one alone.

    Returns:
        The bank, opened.

    Raises:
        BankError: If the bank cannot be written, or the encoder's vectors have a wrong shape.
    """
    if chunk_size < 1:
        raise BankError(f"chunk_size must be at least 1, got {chunk_size}.")
    folder = Path(folder)
    data_file, index_file = _files(folder, encoder.fingerprint)
    parts = folder / f"{encoder.fingerprint}.parts"
    # the data file carries its own keys: it alone says what is done, even if a kill left the index behind
    kept = _sound_rows(data_file, encoder.dim)
    keys, rows = kept or ([], torch.zeros(0, encoder.dim, dtype=torch.float16))
    known = set(keys)
    wanted = {key: sentence for sentence in sentences if (key := sentence_key(sentence)) not in known}
    # chunks depend on the wanted sentences alone, never on the parts found: the same batches give the same bytes
    order = sorted(wanted)
    chunks = [order[first : first + chunk_size] for first in range(0, len(order), chunk_size)]
    own = chunks if team is None else chunks[team.rank :: team.size]
    done = 0
    for chunk in own:
        _encode_chunk(parts, encoder, chunk, wanted)
        done += len(chunk)
        if progress is not None:
            progress(done, sum(map(len, own)))
    if team is not None:
        team.wait()  # for the parts of the others

    if team is None or team.rank == 0:
        if chunks or kept is None:
            fresh = [_encode_chunk(parts, encoder, chunk, wanted) for chunk in chunks]  # reads them
            all_keys = keys + order
            ranks = sorted(range(len(all_keys)), key=all_keys.__getitem__)
            rows = torch.cat([rows, *fresh])[ranks]
            keys = [all_keys[rank] for rank in ranks]
            write_rows(data_file, keys, rows, scratch=parts)
        index = BankIndex(
            encoder.fingerprint, encoder.name, encoder.pooling, encoder.dim, len(keys), digest(key_bytes(keys))
        )
        if chunks or _content_of_index(index_file) != index:
            write_index(index_file, index, scratch=parts)
        shutil.rmtree(parts, ignore_errors=True)
    if team is not None:
        team.wait()  # for the bank
    return EmbeddingBank.open(folder, encoder.fingerprint)


def _encode_chunk(parts: Path, encoder: TextEncoder, chunk: list[str], wanted: dict[str, str]) -> torch.Tensor:
    """Return the rows of a chunk from its part file, or encode them and keep them there."""
    file = parts / f"{hashlib.sha256(''.join(chunk).encode()).hexdigest()[:32]}.safetensors"
    if file.is_file():
        try:
            keys, rows = read_rows(file)
            if keys == chunk and rows.shape[1] == encoder.dim:
                return rows
        except BankError as error:
            _log.warning("Encoding a part again: %s", error.problem)
    vectors = np.asarray(encoder.encode([wanted[key] for key in chunk]))
    if vectors.shape != (len(chunk), encoder.dim) or not np.isfinite(vectors.astype(np.float16)).all():
        raise BankError(
            f"Encoder {encoder.name!r} gave vectors of shape {vectors.shape} for {len(chunk)} sentences of length "
            f"{encoder.dim}, or values beyond float16."
        )
    rows = torch.from_numpy(vectors.astype(np.float16))
    write_rows(file, chunk, rows, scratch=parts)
    return rows


def _files(folder: Path, fingerprint: str) -> tuple[Path, Path]:
    """Return data and index file of a bank."""
    return folder / f"{fingerprint}.safetensors", folder / f"{fingerprint}.json"


def _sound_rows(file: Path, dim: int) -> tuple[list[str], torch.Tensor] | None:
    """Return keys and rows of a data file, or None where it is missing or damaged."""
    if not file.is_file():
        return None
    try:
        keys, rows = read_rows(file)
        if rows.shape[1] != dim:
            raise BankError(f"{file} holds vectors of length {rows.shape[1]}, its encoder gives {dim}.")
    except BankError as error:
        _log.warning("Building an embedding bank anew: %s", error.problem)
        return None
    return keys, rows


def _content_of_index(file: Path) -> BankIndex | None:
    """Return what an index says, or None where it is missing or damaged."""
    try:
        return read_index(file)
    except BankError:
        return None
