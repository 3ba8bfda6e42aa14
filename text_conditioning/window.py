"""How many tokens of a sentence a text encoder reads at once, found without loading torch.

Longer sentences are not cut off: `encoders` cuts them into windows and pools those.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from text_conditioning.registry import resolve

_LONGEST = 4096  # as in `encoders`


class TokenCounter:
    """Counts tokens as an encoder on disk does.

    Attributes:
        window: Longest input in tokens, special tokens included.
    """

    def __init__(self, tokenizer: Any, window: int) -> None:
        self._tokenizer = tokenizer
        self.window = window

    @classmethod
    def of(cls, encoder: str) -> TokenCounter | None:
        """Open the tokenizer of an encoder; None where it is not on this machine or has no ``tokenizer.json``.

        Args:
            encoder: Name or folder, as for `resolve`.

        Raises:
            EncoderError: If the folder does not exist.
        """
        folder = Path(resolve(encoder)[0])
        file = folder / "tokenizer.json"
        if not file.is_file():
            return None
        try:
            tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(file))
        except ImportError:
            return None
        tokenizer.no_truncation()
        tokenizer.no_padding()
        limits = [_LONGEST]
        for name, key in (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length")):
            settings = json.loads((folder / name).read_text(encoding="utf-8")) if (folder / name).is_file() else {}
            limit = settings.get(key)
            if isinstance(limit, int) and limit > 0:
                offset = (
                    int(settings.get("pad_token_id") or 0) + 1 if "roberta" in settings.get("model_type", "") else 0
                )
                limits.append(limit - offset)
        return cls(tokenizer, min(limits))

    def count(self, sentences: Iterable[str]) -> list[int]:
        """Count the tokens of each sentence, special tokens included."""
        return [len(encoding.ids) for encoding in self._tokenizer.encode_batch(list(sentences))]
