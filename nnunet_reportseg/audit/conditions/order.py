"""The sentences of the report in another order."""

from __future__ import annotations

import zlib

import numpy as np

from nnunet_reportseg.audit.altered import ORIGINAL, Altered, NotApplicable, own_description, with_sentences
from nnunet_reportseg.audit.cases import AuditCase


def order_permuted(case: AuditCase, seed: int) -> Altered | NotApplicable:
    """A random order that is not the given one; each sentence keeps its section."""
    count = len(case.report.sentences)
    if count < 2:
        return NotApplicable("the report has one sentence only")
    rng = np.random.default_rng([seed, zlib.crc32(case.case_id.encode())])
    order = list(range(count))
    while order == list(range(count)):
        order = rng.permutation(count).tolist()
    sentences = tuple(case.report.sentences[index] for index in order)
    return Altered(with_sentences(case, sentences), ORIGINAL, own_description(case))
