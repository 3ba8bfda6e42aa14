"""Which sentences of a report say anything of the findings, learned from those that are known to, and not to.

Reports are long, and findings take a few sentences of them. What a sentence counts in attention and FiLM is multiplied
by its relevance in training; when the network predicts, it counts or is as good as not there, so that a report reads
the same however much else it says. Relevance is a linear function of what the sentence says, whatever its state and
side, and trained with sentences that belong to findings or deny them, and with fillers, which belong to none. A
sentence that names a side always counts: fillers name none by definition (TrainingReports.filler_sentences), so it
would be taken for one without anything to learn that from, as new wording of findings was (docs/design.md). Half of
the reports are read whole in training, so that a filler that is not recognised is still passed over.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

RELEVANT, IRRELEVANT, UNKNOWN = 1.0, 0.0, -1.0

READ_WHOLE = 0.5  # of the reports in training

_INITIAL_LOGIT = 2.0  # all sentences count, a little less than the null token


class SentenceRelevance(nn.Module):
    """Relevance of sentences; the same for all of them at initialisation.

    Args:
        memory_dim: ``D`` of a token.
    """

    def __init__(self, memory_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(memory_dim, elementwise_affine=False)
        self.logit = nn.Linear(memory_dim, 1)
        nn.init.zeros_(self.logit.weight)
        nn.init.constant_(self.logit.bias, _INITIAL_LOGIT)

    def log_counts(self, logits: Tensor) -> Tensor:
        """Logarithm of how much sentences of this relevance count; when the network predicts, all or nothing."""
        if self.training:
            whole = torch.rand(len(logits), 1, device=logits.device) < READ_WHOLE
            return nn.functional.logsigmoid(logits).masked_fill(whole, 0.0)
        return torch.zeros_like(logits).masked_fill(logits < 0, float("-inf"))

    def forward(self, said: Tensor) -> Tensor:
        """Logits ``(B, S)`` of projected sentence vectors ``(B, S, D)``."""
        logits: Tensor = self.logit(self.norm(said))
        return logits.squeeze(-1)


def relevance_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy, the mean of relevant and irrelevant sentences: there are far more of the latter.

    Args:
        logits: ``(B, S)``.
        labels: ``(B, S)``, ``RELEVANT``, ``IRRELEVANT`` or ``UNKNOWN``, which does not count.

    Returns:
        The loss; zero, with a gradient of zero, where nothing is known.
    """
    wanted = labels.clamp_min(0)
    each = nn.functional.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none")
    classes = torch.stack([labels == RELEVANT, labels == IRRELEVANT]).to(each.dtype)
    count = classes.sum(dim=(1, 2))
    return ((each * classes).sum(dim=(1, 2)) / count.clamp_min(1)).sum() / (count > 0).sum().clamp_min(1)
