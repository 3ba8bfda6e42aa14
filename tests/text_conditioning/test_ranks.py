"""Which of several findings a sentence means by its size."""

from __future__ import annotations

import pytest

from text_conditioning.ranks import Rank, read_rank

NONE, LARGER, SMALLER, SEVERAL = Rank


@pytest.mark.parametrize(
    ("sentence", "rank"),
    [
        ("The larger nodule is solid.", LARGER),
        ("Of two lung nodules, the bigger is well defined.", LARGER),
        ("A 12 mm nodule is seen, the larger of the two.", LARGER),
        ("Multiple nodules, the largest in the right upper lobe measures 12 mm.", LARGER),
        ("Several liver cysts, largest 3 cm.", LARGER),
        ("The dominant left upper lobe nodule has grown.", NONE),  # too far from its noun to be sure
        ("The dominant nodule measures 9 mm.", LARGER),
        ("A dominant pulmonary mass.", LARGER),
        ("The smaller one is calcified.", SMALLER),
        ("Two nodules are visible, of which the smaller is well-circumscribed.", SMALLER),
        ("The smallest of the metastases is in segment 6.", SMALLER),
        ("The other, smaller nodule is unchanged.", NONE),
        ("The larger nodule measures 12 mm, the smaller 8 mm.", SEVERAL),
        ("Nodules, the largest 9 mm and the smallest 3 mm.", SEVERAL),
        ("The nodule is larger than before.", NONE),
        ("The nodule has become smaller.", NONE),
        ("The nodule in the left lung is slightly smaller in the interval.", NONE),
        ("Of these, the larger than expected node is new.", NONE),
        ("The mass measures 4 cm in its largest diameter.", NONE),
        ("The mass measures 4 cm in the largest axial dimension.", NONE),
        ("A mass of 4 cm at its largest.", NONE),
        ("Mucus in the larger airways.", NONE),
        ("Wall thickening of the smaller bronchi.", NONE),
        ("Right dominant coronary circulation.", NONE),
        ("Enlarged subcarinal node measuring 16 x 22 mm, slightly smaller than previously.", NONE),
        ("A large mass.", NONE),
        ("Small nodule.", NONE),
        ("No larger nodule.", NONE),
    ],
)
def test_rank(sentence: str, rank: Rank) -> None:
    assert read_rank(sentence) is rank


def test_values_are_those_stored_in_trained_models() -> None:
    assert {rank.name: int(rank) for rank in Rank} == {"NONE": 0, "LARGER": 1, "SMALLER": 2, "SEVERAL": 3}
