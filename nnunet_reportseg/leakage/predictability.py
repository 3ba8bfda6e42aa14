"""How well the words of a report alone, without the image, predict where the foreground lies and how large it is.

Ridge regression (`RidgeCV` of scikit-learn, which nnU-Net depends on) on tf-idf of words and pairs of words, fitted to
the training cases of each fold and asked for its validation cases. Words of what is denied or gone are marked (Das and
Chen 2007, doi 10.1287/mnsc.1070.0704), else "no nodule in the left lung" would point to the left. A report of a
radiologist predicts the place, and that is its use; the figure says how much a network gains without looking at the
image. R2 is that of unseen cases: 1 less the squared error over that of the training cases' mean, and may be negative.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from nnunet_reportseg.bootstrap import Interval, bootstrap_ratio
from nnunet_reportseg.leakage.case_masks import CaseMask
from nnunet_reportseg.splits import Split
from text_conditioning.assertion import Assertion
from text_conditioning.reports import Report

VOLUME = "log volume"
TARGETS = (VOLUME, "left-right", "front-back", "foot-head")
FEWEST_CASES = 20
SUSPICIOUS_R2 = 0.9
_MOST_TERMS = 2000  # keeps the time of 10,000 cases at minutes
_WORD = r"\d+(?:[.,]\d+)?|\w+"
_DENIED = (Assertion.ABSENT, Assertion.HISTORICAL)
_STRENGTHS = tuple(np.logspace(-3, 3, 13).tolist())


@dataclass(frozen=True)
class Predictability:
    """How well one property of the masks is predicted by words.

    Attributes:
        target: One of `TARGETS`.
        r2: With an interval over patients, or over cases where no patient is known.
        rank_correlation: Spearman's, of the same predictions; None where one of both does not vary.
    """

    target: str
    r2: Interval
    rank_correlation: float | None

    @property
    def suspicious(self) -> bool:
        """Whether words tell the volume nearly perfectly."""
        return self.target == VOLUME and self.r2.value > SUSPICIOUS_R2


def mark_denials(report: Report) -> str:
    """The words of a report, those of statements that deny something with ``no_`` in front."""
    return " ".join(
        re.sub(_WORD, r"no_\g<0>", statement.text) if statement.assertion in _DENIED else statement.text
        for statement in report.statements
    )


def predict_from_words(
    texts: Mapping[str, str], masks: Mapping[str, CaseMask], splits: Sequence[Split], patient_of: Mapping[str, str]
) -> tuple[Predictability, ...]:
    """Fit and predict in each fold.

    Args:
        texts: Words by case, from `mark_denials`.
        masks: By case; only cases with both count.
        splits: The folds.
        patient_of: Patients, as far as they are known.

    Returns:
        One for each target that varies; none with fewer than `FEWEST_CASES` cases to fit or to predict.
    """
    usable = texts.keys() & masks.keys()
    predicted: list[tuple[str, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = []
    for split in splits:
        train, val = ([case for case in split[side] if case in usable] for side in ("train", "val"))
        if len(train) < FEWEST_CASES or not val:
            continue
        wanted = np.array([_targets(masks[case]) for case in train])
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), token_pattern=_WORD, sublinear_tf=True, max_features=_MOST_TERMS),
            RidgeCV(_STRENGTHS, alpha_per_target=True),
        ).fit([texts[case] for case in train], wanted)
        found = model.predict([texts[case] for case in val])
        mean = wanted.mean(axis=0)
        predicted += [(case, _targets(masks[case]), row, mean) for case, row in zip(val, found, strict=True)]
    if len({case for case, *_ in predicted}) < FEWEST_CASES:
        return ()
    groups = [patient_of.get(case, case) for case, *_ in predicted]
    truth, given, mean = (np.array([row[i] for row in predicted]) for i in (1, 2, 3))
    scores = []
    for column, target in enumerate(TARGETS):
        true, guess = truth[:, column], given[:, column]
        if np.ptp(true) <= 1e-9:
            continue
        left = bootstrap_ratio(((true - guess) ** 2).tolist(), ((true - mean[:, column]) ** 2).tolist(), groups)
        if left is not None:
            r2 = Interval(1 - left.value, 1 - left.high, 1 - left.low, left.cases, left.images)
            rank = float(spearmanr(true, guess).statistic) if np.ptp(guess) > 0 else None
            scores.append(Predictability(target, r2, rank))
    return tuple(scores)


def _targets(mask: CaseMask) -> NDArray[np.float64]:
    return np.array([np.log(mask.volume_ml), *mask.place])
