"""Embedding banks: look-up, additions, kills in the middle of a build, damage."""

from __future__ import annotations

import hashlib
import json
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from text_conditioning.bank import EmbeddingBank, build_bank, sentence_key
from text_conditioning.bank_files import read_rows, write_rows
from text_conditioning.errors import BankError, EncoderError

SENTENCES = [f"Nodule of {i} mm in the left lung." for i in range(40)]


class FakeEncoder:
    """Vectors that depend on the sentence and, like rounding does, on the batch it came in."""

    name = "fake"
    fingerprint = "0123456789abcdef"
    pooling = "mean"
    dim = 6

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.seen: list[str] = []

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        self.seen += sentences
        batch = hashlib.sha256("".join(sentences).encode()).digest()[0] / 4096
        rows = [np.frombuffer(hashlib.sha256(s.encode()).digest()[: self.dim], np.uint8) / 256 for s in sentences]
        time.sleep(self.delay * len(sentences))
        return (np.stack(rows) + batch).astype(np.float16)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_vectors_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    encoder = FakeEncoder()
    bank = build_bank(tmp_path, encoder, SENTENCES, chunk_size=100)
    asked = [SENTENCES[7], SENTENCES[3], SENTENCES[7]]
    order = list(encoder.seen)
    expected = dict(zip(order, encoder.encode(order), strict=True))
    found = bank.vectors(asked)
    assert found.dtype == np.float32
    assert np.array_equal(found, np.stack([expected[s] for s in asked]).astype(np.float32))
    assert bank.vectors([]).shape == (0, 6)
    assert (bank.encoder, bank.fingerprint, bank.dim, len(bank)) == ("fake", FakeEncoder.fingerprint, 6, 40)
    assert SENTENCES[0] in bank
    assert "another" not in bank


def test_each_sentence_is_encoded_once_and_additions_encode_only_what_is_new(tmp_path: Path) -> None:
    first, second = FakeEncoder(), FakeEncoder()
    before = build_bank(tmp_path, first, SENTENCES[:10] * 3).vectors(SENTENCES[:10])
    after = build_bank(tmp_path, second, SENTENCES[:15])
    assert sorted(first.seen) == sorted(SENTENCES[:10])
    assert sorted(second.seen) == sorted(SENTENCES[10:15])
    assert np.array_equal(after.vectors(SENTENCES[:10]), before)
    third = FakeEncoder()
    state = contents(tmp_path)
    build_bank(tmp_path, third, SENTENCES[:12])
    assert third.seen == []
    assert contents(tmp_path) == state


def test_files_are_an_index_and_rows_sorted_by_key_without_any_text(tmp_path: Path) -> None:
    build_bank(tmp_path, FakeEncoder(), SENTENCES)
    files = contents(tmp_path)
    assert set(files) == {f"{FakeEncoder.fingerprint}.json", f"{FakeEncoder.fingerprint}.safetensors"}
    assert not any(b"Nodule" in content for content in files.values())
    keys, _ = read_rows(tmp_path / f"{FakeEncoder.fingerprint}.safetensors")
    assert keys == sorted(map(sentence_key, SENTENCES))
    index = json.loads(files[f"{FakeEncoder.fingerprint}.json"])
    assert index["keys_sha256"] == hashlib.sha256(bytes.fromhex("".join(keys))).hexdigest()
    assert index["count"] == len(SENTENCES)


def test_the_order_of_the_sentences_does_not_change_the_files(tmp_path: Path) -> None:
    build_bank(tmp_path / "a", FakeEncoder(), SENTENCES, chunk_size=7)
    build_bank(tmp_path / "b", FakeEncoder(), reversed(SENTENCES), chunk_size=7)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_bank_of_no_sentences_can_be_opened(tmp_path: Path) -> None:
    assert len(build_bank(tmp_path, FakeEncoder(), [])) == 0
    assert EmbeddingBank.open(tmp_path, FakeEncoder.fingerprint).vectors([]).shape == (0, 6)


def test_progress_counts_up_to_the_new_sentences(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    build_bank(tmp_path, FakeEncoder(), SENTENCES, chunk_size=15, progress=lambda *call: calls.append(call))
    assert calls == [(15, 40), (30, 40), (40, 40)]


@pytest.mark.parametrize("parts_before_the_kill", [0, 2])
def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, parts_before_the_kill: int) -> None:
    """kill -9 inside a chunk, before any part is finished and after two of them."""
    build_bank(tmp_path / "whole", FakeEncoder(), SENTENCES, chunk_size=8)
    broken = tmp_path / "broken"
    code = (
        "import sys; from pathlib import Path; from tests.text_conditioning.test_bank import *\n"
        "print('ready', flush=True); build_bank(Path(sys.argv[1]), FakeEncoder(0.05), SENTENCES, chunk_size=8)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code, str(broken)], cwd=root, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + 30
        while len(list(broken.glob("*.parts/*.safetensors"))) < parts_before_the_kill and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    kept = len(list(broken.glob("*.parts/*.safetensors")))
    assert parts_before_the_kill <= kept < 5
    assert not list(broken.glob("*.safetensors"))

    encoder = FakeEncoder()
    build_bank(broken, encoder, SENTENCES, chunk_size=8)
    assert len(encoder.seen) == 40 - 8 * kept
    assert contents(broken) == contents(tmp_path / "whole")


def test_an_encoder_that_fails_half_way_loses_only_its_chunk(tmp_path: Path) -> None:
    class Failing(FakeEncoder):
        def encode(self, sentences: Sequence[str]) -> np.ndarray:
            if len(self.seen) >= 16:
                raise EncoderError("out of memory")
            return super().encode(sentences)

    with pytest.raises(EncoderError):
        build_bank(tmp_path / "a", Failing(), SENTENCES, chunk_size=8)
    encoder = FakeEncoder()
    build_bank(tmp_path / "a", encoder, SENTENCES, chunk_size=8)
    assert len(encoder.seen) == 24
    build_bank(tmp_path / "b", FakeEncoder(), SENTENCES, chunk_size=8)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_half_written_part_is_encoded_again(tmp_path: Path) -> None:
    build_bank(tmp_path / "whole", FakeEncoder(), SENTENCES, chunk_size=8)
    whole = contents(tmp_path / "whole")

    class Stop(FakeEncoder):
        def encode(self, sentences: Sequence[str]) -> np.ndarray:
            if self.seen:
                raise EncoderError("stop")
            return super().encode(sentences)

    with pytest.raises(EncoderError):
        build_bank(tmp_path / "a", Stop(), SENTENCES, chunk_size=8)
    (part,) = (tmp_path / "a").glob("*.parts/*.safetensors")
    part.write_bytes(part.read_bytes()[:-5])
    build_bank(tmp_path / "a", FakeEncoder(), SENTENCES, chunk_size=8)
    assert contents(tmp_path / "a") == whole


def test_a_kill_between_rows_and_index_is_refused_by_readers_and_repaired_by_the_next_build(tmp_path: Path) -> None:
    build_bank(tmp_path, FakeEncoder(), SENTENCES[:10])
    index_file = tmp_path / f"{FakeEncoder.fingerprint}.json"
    old = index_file.read_bytes()
    build_bank(tmp_path, FakeEncoder(), SENTENCES)
    whole = contents(tmp_path)
    index_file.write_bytes(old)
    with pytest.raises(BankError, match="does not describe"):
        EmbeddingBank.open(tmp_path, FakeEncoder.fingerprint)
    encoder = FakeEncoder()
    build_bank(tmp_path, encoder, SENTENCES)
    assert encoder.seen == []
    assert contents(tmp_path) == whole


def test_missing_sentences_are_named_by_key_and_number(tmp_path: Path) -> None:
    bank = build_bank(tmp_path, FakeEncoder(), SENTENCES[:5])
    assert bank.missing([*SENTENCES[:3], "x", "y", "x"]) == ["x", "y"]
    with pytest.raises(BankError, match=rf"lacks 2 .*{sentence_key('x')}"):
        bank.vectors([SENTENCES[0], "x", "y"])


def test_a_bank_of_another_encoder_is_refused_by_name(tmp_path: Path) -> None:
    build_bank(tmp_path, FakeEncoder(), SENTENCES[:5])
    with pytest.raises(BankError, match=r"(?s)ffff.*0123456789abcdef \(fake\)"):
        EmbeddingBank.open(tmp_path, "f" * 16)


def test_damaged_files_are_refused_with_their_name(tmp_path: Path) -> None:
    build_bank(tmp_path, FakeEncoder(), SENTENCES[:5])
    rows, index = (tmp_path / f"{FakeEncoder.fingerprint}{end}" for end in (".safetensors", ".json"))
    content = rows.read_bytes()
    rows.write_bytes(content[:-3])
    with pytest.raises(BankError, match=rows.name):
        EmbeddingBank.open(tmp_path, FakeEncoder.fingerprint)
    rows.write_bytes(content)
    index.write_text("{")
    with pytest.raises(BankError, match=index.name):
        EmbeddingBank.open(tmp_path, FakeEncoder.fingerprint)


def put_nan(file: Path) -> None:
    keys, rows = read_rows(file)
    rows = rows.clone()
    rows[2, 1] = float("nan")
    write_rows(file, keys, rows, scratch=file.parent)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def test_rows_that_are_not_finite_are_refused_with_their_file(tmp_path: Path) -> None:
    build_bank(tmp_path, FakeEncoder(), SENTENCES[:5])
    rows = tmp_path / f"{FakeEncoder.fingerprint}.safetensors"
    put_nan(rows)
    bank = EmbeddingBank.open(tmp_path, FakeEncoder.fingerprint)
    with pytest.raises(BankError, match=rf"{rows.name}.*not finite"):
        bank.vectors(SENTENCES[:5])


@pytest.mark.parametrize("damage", [put_nan, cut, empty])
def test_a_build_replaces_damaged_rows_and_says_so(
    damage: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    build_bank(tmp_path, FakeEncoder(), SENTENCES)
    whole = contents(tmp_path)
    rows = tmp_path / f"{FakeEncoder.fingerprint}.safetensors"
    damage(rows)
    assert EmbeddingBank.exists(tmp_path, FakeEncoder.fingerprint)
    encoder = FakeEncoder()
    build_bank(tmp_path, encoder, SENTENCES)
    assert len(encoder.seen) == 40
    assert contents(tmp_path) == whole
    assert rows.name in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"dim": 7},
        {"fingerprint": "f" * 16},
        {"keys_sha256": "f" * 64},
        {"version": 1},
        {"count": None},
        {"count": 6},
        {"pooling": "cls"},
    ],
)
def test_a_build_repairs_an_index_that_does_not_fit(change: dict[str, object], tmp_path: Path) -> None:
    build_bank(tmp_path, FakeEncoder(), SENTENCES[:5])
    whole = contents(tmp_path)
    index = tmp_path / f"{FakeEncoder.fingerprint}.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | change))
    encoder = FakeEncoder()
    build_bank(tmp_path, encoder, SENTENCES[:5])
    assert encoder.seen == []
    assert contents(tmp_path) == whole


def test_available_lists_banks_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    assert EmbeddingBank.available(tmp_path / "nowhere") == []
    build_bank(tmp_path, FakeEncoder(), SENTENCES[:5])
    (tmp_path / "other.json").write_text("[]")
    assert EmbeddingBank.available(tmp_path) == [EmbeddingBank.open(tmp_path, FakeEncoder.fingerprint).index]


def test_a_pickled_bank_opens_the_same_files(tmp_path: Path) -> None:
    bank = build_bank(tmp_path, FakeEncoder(), SENTENCES)
    stored = pickle.dumps(bank)
    assert len(stored) < 1000
    assert np.array_equal(pickle.loads(stored).vectors(SENTENCES), bank.vectors(SENTENCES))


def test_vectors_of_a_wrong_shape_and_broken_values_are_refused(tmp_path: Path) -> None:
    class Short(FakeEncoder):
        def encode(self, sentences: Sequence[str]) -> np.ndarray:
            return super().encode(sentences)[:, :4]

    class Broken(FakeEncoder):
        def encode(self, sentences: Sequence[str]) -> np.ndarray:
            return super().encode(sentences) * np.float16("nan")

    for encoder in (Short(), Broken()):
        with pytest.raises(BankError, match="fake"):
            build_bank(tmp_path, encoder, SENTENCES)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BankError, match="Cannot write"):
        build_bank(tmp_path / "file" / "bank", FakeEncoder(), SENTENCES)


@dataclass(frozen=True)
class Thread:
    """One of several threads that build a bank together."""

    rank: int
    size: int
    barrier: threading.Barrier

    def wait(self) -> None:
        self.barrier.wait(30)


@pytest.mark.parametrize("there", [0, 11])
def test_a_team_builds_the_bank_of_one_process_and_shares_the_work(tmp_path: Path, there: int) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    for folder in (alone, together):
        build_bank(folder, FakeEncoder(), SENTENCES[:there], chunk_size=4)
    build_bank(alone, FakeEncoder(), SENTENCES, chunk_size=4)
    barrier = threading.Barrier(3)
    encoders = [FakeEncoder() for _ in range(3)]
    progress: list[list[tuple[int, int]]] = [[], [], []]

    def build(rank: int) -> int:
        team = Thread(rank, 3, barrier)
        told = progress[rank]
        return len(
            build_bank(together, encoders[rank], SENTENCES, chunk_size=4, progress=lambda *n: told.append(n), team=team)
        )

    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(build, range(3))) == [len(SENTENCES)] * 3
    assert contents(together) == contents(alone)
    shares = [set(encoder.seen) for encoder in encoders]
    assert sum(map(len, shares)) == len(set.union(*shares)) == len(SENTENCES) - there
    assert all(told[-1] == (len(share), len(share)) for told, share in zip(progress, shares, strict=True))
