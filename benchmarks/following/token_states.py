"""Token states: the last hidden states of the text encoder, one vector per token instead of one per sentence.

An embedding bank holds one vector per text. A token is therefore given a text of its own, its sentence, a separator and
its number, and a report is read token by token where its sentences are replaced by such texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nnunet_reportseg.case_reports import CaseReport
from text_conditioning.encoders import FrozenTextEncoder
from text_conditioning.registry import resolve
from text_conditioning.reports import Sentence

MINILM = "minilm"
TOKEN_STATES = "minilm_tokens"
SEPARATOR = "\x1f"  # ASCII's "unit separator"; stands in no report


def token_ids(sentence: str) -> list[int]:
    """Tokens of a sentence, without those that the encoder adds at its ends."""
    ids: list[int] = _tokenizer()(" ".join(sentence.split()), add_special_tokens=False, verbose=False)["input_ids"]
    return ids


@cache
def tokens_of(sentence: Sentence) -> tuple[Sentence, ...]:
    """A sentence for each token, with the tags of the whole; the sentence itself where the encoder sees no token."""
    count = len(token_ids(sentence.text))
    return tuple(replace(sentence, text=f"{sentence.text}{SEPARATOR}{i}") for i in range(count)) or (sentence,)


def expand(report: CaseReport) -> CaseReport:
    """The report with its tokens in the place of its sentences; a finding has all tokens of its sentences."""
    tokens: list[Sentence] = []
    places: list[range] = []
    for sentence in report.sentences:
        own = tokens_of(sentence)
        places.append(range(len(tokens), len(tokens) + len(own)))
        tokens.extend(own)
    findings = tuple(
        replace(finding, sentences=tuple(place for i in finding.sentences for place in places[i]))
        for finding in report.findings
    )
    return replace(report, sentences=tuple(tokens), findings=findings)


class TokenStatesEncoder(FrozenTextEncoder):
    """Fills an embedding bank (text_conditioning.bank.build_bank): states of tokens, usual vectors of sentences.

    Only tokens are read; sentences are there because a training makes sure that its bank has all of them.
    """

    def __init__(self) -> None:
        super().__init__(MINILM)
        self.name = TOKEN_STATES
        self.fingerprint = hashlib.sha256(f"following.token_states 1 {self.fingerprint}".encode()).hexdigest()[:16]
        self._states: dict[str, NDArray[np.float16]] = {}

    def encode(self, sentences: Sequence[str], *, progress: Callable[[int], None] | None = None) -> NDArray[np.float16]:
        """Vectors ``(N, E)`` of tokens and sentences, in the order given.

        Args:
            sentences: texts of :func:`tokens_of` or whole sentences.
            progress: called with the number of whole sentences finished since the last call.
        """
        whole = [number for number, text in enumerate(sentences) if SEPARATOR not in text]
        vectors = np.zeros((len(sentences), self.dim), dtype=np.float16)
        vectors[whole] = super().encode([sentences[number] for number in whole], progress=progress)
        for number, text in enumerate(sentences):
            sentence, separator, place = text.rpartition(SEPARATOR)
            if separator:
                vectors[number] = self._token_states(sentence)[int(place)]
        return vectors

    @torch.inference_mode()
    def _token_states(self, sentence: str) -> NDArray[np.float16]:
        """``(tokens, E)``, kept: a bank asks for the tokens of a sentence in random order."""
        if sentence not in self._states:
            parts = []
            for ids in self._windows(token_ids(sentence)):
                row = torch.tensor([[*self._prefix, *ids, *self._suffix]], device=self.device)
                states = self._model(input_ids=row, attention_mask=torch.ones_like(row)).last_hidden_state[0]
                first = len(self._prefix)
                parts.append(states[first : first + len(ids)].float().cpu().numpy())
            self._states[sentence] = np.concatenate(parts).astype(np.float16)
        return self._states[sentence]


@cache
def _tokenizer() -> Any:
    from transformers import AutoTokenizer  # takes seconds to import

    return AutoTokenizer.from_pretrained(resolve(MINILM)[0], trust_remote_code=False)
