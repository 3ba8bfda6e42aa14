"""Whitening of sentence vectors, with what hardly varies in the training sentences taken for noise.

Frozen encoders put sentences that differ in one decisive word ("left", "right") at a cosine of 0.99. Removing the mean
and equalising the variance of all directions (Su et al. 2021, "Whitening sentence representations", arXiv 2103.15316)
makes that word visible. We deviate in two ways. Each direction is first shrunk by w / (w + a), the Wiener filter for
signal of variance w in noise of variance a: plain whitening, with a shrunk covariance too, blows up just those
directions that the training sentences leave empty, and new wording, which lies there, then drowns (docs/design.md). And
we stay in the encoder's own basis (ZCA). The fitted vectors have unit variance on average over the dimensions, so that
what follows sees one scale whatever the encoder and dataset.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from text_conditioning.errors import WhiteningError

NOISE = 0.01


class Whitening(nn.Module):
    """Affine map fitted to the training sentences and stored with the model; the identity until it is fitted.

    Attributes:
        mean: Mean of the vectors it was fitted to, (E,).
        matrix: Symmetric whitening matrix, (E, E).
        fitted: Scalar flag: whether `fit` has replaced the identity.
    """

    mean: Tensor
    matrix: Tensor
    fitted: Tensor

    def __init__(self, dim: int, *, noise: float = NOISE) -> None:
        """Start as the identity.

        Args:
            dim: Length E of a sentence vector.
            noise: Variance taken for noise in every direction, as a part of the largest eigenvalue.

        Raises:
            WhiteningError: If `dim` or `noise` is not positive.
        """
        super().__init__()
        if dim < 1 or noise <= 0:
            raise WhiteningError(f"Whitening needs dim >= 1 and noise > 0, got dim={dim}, noise={noise}.")
        self.dim = dim
        self.noise = noise
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("matrix", torch.eye(dim))
        self.register_buffer("fitted", torch.tensor(False))

    @torch.no_grad()
    def fit(self, vectors: Tensor | np.ndarray[Any, Any]) -> None:
        """Fit to the vectors of the unique training sentences.

        Fewer than two vectors, or vectors that are all the same, have no covariance: the identity is kept.

        Args:
            vectors: Sentence vectors, (N, E); N may be smaller than E.

        Raises:
            WhiteningError: If the shape is not (N, E) or a value is not finite.
        """
        x = torch.as_tensor(vectors).detach().to(device="cpu", dtype=torch.float64)
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise WhiteningError(f"Whitening of dimension {self.dim} was given vectors of shape {tuple(x.shape)}.")
        if not torch.isfinite(x).all():
            row = int((~torch.isfinite(x)).any(dim=1).nonzero()[0])
            raise WhiteningError(f"Sentence vector {row} is not finite; build the embedding bank again.")
        mean, matrix, fitted = torch.zeros(self.dim), torch.eye(self.dim), False
        if len(x) > 1:
            centre = x.mean(dim=0)
            values, directions = torch.linalg.eigh((x - centre).T @ (x - centre) / (len(x) - 1))
            # vectors that are all the same leave only rounding in the covariance
            if values[-1] > 1e-12 * (1 + centre.square().sum()):
                values = values.clamp(min=0)
                total = values + self.noise * values[-1]
                scale = values / total * total.rsqrt()
                # that takes variance away, most of it with few sentences: give it back to all directions alike
                scale *= (self.dim / (values * scale.square()).sum()).sqrt()
                mean, matrix, fitted = centre, (directions * scale) @ directions.T, True
        self.mean.copy_(mean)
        self.matrix.copy_(matrix)
        self.fitted.fill_(fitted)

    def forward(self, x: Tensor) -> Tensor:
        """Whiten vectors of shape (..., E), always in float32, also under autocast."""
        with torch.autocast(x.device.type, enabled=False):
            return (x.float() - self.mean.float()) @ self.matrix.float()
