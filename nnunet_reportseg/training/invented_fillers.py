"""Fillers that nobody wrote, in the place of those that training reports hold.

A report is mostly sentences that belong to no finding. Training reports of a small dataset hold the same ones again and
again, so a network comes to know them one by one, and a new one in a long report may draw the voxels of a lesion to it
(docs/design.md). Vectors drawn from a Gaussian with the mean and the covariance of the known ones are always new, and
lie where fillers lie.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.report_tensors import SentenceVectors

MOST_KNOWN = 10_000  # fillers that mean and covariance are taken from; a large dataset has a hundred thousand


class InventedFillers:
    """The vectors of a bank, those of some fillers replaced by invented ones (a SentenceVectors of its own).

    Args:
        bank: vectors of all sentences.
        fillers: sentences that belong to no finding; at least one.
        probability: that one of them is replaced, wherever it stands.
    """

    def __init__(self, bank: SentenceVectors, fillers: Sequence[str], probability: float) -> None:
        self._bank = bank
        self._probability = probability
        self._fillers = frozenset(fillers)
        step = -(-len(self._fillers) // MOST_KNOWN)
        known = bank.vectors(sorted(self._fillers)[::step]).astype(np.float64)
        self._mean = known.mean(axis=0)
        variances, directions = np.linalg.eigh((known - self._mean).T @ (known - self._mean) / len(known))
        self._spread = np.sqrt(variances.clip(min=0))[:, None] * directions.T

    @property
    def dim(self) -> int:
        """``E``, length of a vector."""
        return self._bank.dim

    def vectors(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """``(N, E)`` vectors, drawn anew with each call for those that are replaced.

        Raises:
            BankError: a sentence is not in the bank.
        """
        found = self._bank.vectors(sentences)
        replaced = [i for i, s in enumerate(sentences) if s in self._fillers and np.random.random() < self._probability]
        if replaced:
            found = found.copy()
            found[replaced] = self._mean + np.random.standard_normal((len(replaced), self.dim)) @ self._spread
        return found
