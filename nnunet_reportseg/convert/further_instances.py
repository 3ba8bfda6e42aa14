"""Which findings of ReXGroundingCT may have further instances that nobody labelled.

The training masks hold at most three representative instances of a finding, those of validation and test all visible
ones (arXiv 2507.22030, "Entity Protocol"). So a training finding with fewer than three counts as complete, since there
was room for more; one with three or more may go on. This is the protocol, not a check of the masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunet_reportseg.errors import DatasetError

MOST_LABELLED = 3
EXHAUSTIVE_SPLITS = frozenset({"val", "test"})


@dataclass(frozen=True)
class LabelledInstances:
    """What a description says about the labelled instances of a case.

    Attributes:
        split: Of the case, in the description.
        stated: Labelled instances of each finding (``entity_counts``), 0 where the description does not say.
    """

    split: str
    stated: tuple[int, ...]

    @classmethod
    def of(
        cls, item: Mapping[str, Any], findings: int, *, split: str, case: str, description: Path
    ) -> LabelledInstances:
        """Read the item of a case.

        Args:
            item: Of the description.
            findings: Number of findings of the case.
            split: Of the case.
            case: Case identifier, for messages.
            description: The file, for messages.

        Raises:
            DatasetError: ``entity_counts`` has no whole number for a finding that it names.
        """
        counts = item.get("entity_counts") or {}
        stated = [counts.get(str(number), 0) if isinstance(counts, dict) else None for number in range(findings)]
        whole = [count for count in stated if isinstance(count, int) and not isinstance(count, bool)]
        if len(whole) < findings:
            raise DatasetError.about(
                "entity_counts does not give the number of labelled instances of each finding",
                case=case,
                file=description,
                value=counts,
                fix='write {"0": 2, ...}, or convert with --unlabelled background',
            )
        return cls(split, tuple(whole))

    def are_all(self, finding: int, mask: NDArray[Any]) -> bool:
        """Whether all instances of a finding are known to be labelled.

        Args:
            finding: Its index.
            mask: Its mask, ``(X, Y, Z)``; integers are numbers of instances. Where it disagrees with the description,
                as it does at times, the larger number counts.
        """
        if self.split in EXHAUSTIVE_SPLITS:
            return True
        return max(self.stated[finding], np.unique(mask[mask > 0]).size) < MOST_LABELLED
