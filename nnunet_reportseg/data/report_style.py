"""How a benchmark writes its reports: which lesions a training report describes, and the writer of each split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data.draft_report import DraftReport
from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.report_writer import Wording, choose_described, write_report

# Takes the lesions to describe, all lesions of the volume, and the source of everything random.
WriteReport = Callable[[Sequence[Lesion], Sequence[Lesion], np.random.Generator], DraftReport]
ChooseDescribed = Callable[[Sequence[Lesion], int, np.random.Generator], tuple[Lesion, ...]]


@dataclass(frozen=True)
class ReportStyle:
    """The reports of a benchmark.

    Attributes:
        training: Writes a report in the wording of training.
        test: Writes a report in the held-out wording.
        choose: The lesions that the report of a training case describes: of these lesions, in the case of this index.
    """

    training: WriteReport
    test: WriteReport
    choose: ChooseDescribed

    def training_report(self, lesions: Sequence[Lesion], index: int, rng: np.random.Generator) -> DraftReport:
        """The report of the training case with this index."""
        return self.training(self.choose(lesions, index, rng), lesions, rng)


def all_in_every_second(lesions: Sequence[Lesion], index: int, rng: np.random.Generator) -> tuple[Lesion, ...]:
    """All lesions in every second case, a random part of them in the others."""
    return choose_described(lesions, rng, everything=index % 2 == 0)


def site_style(training: Wording, test: Wording) -> ReportStyle:
    """Reports that name lesions by their site and deny other sites, with or without a lesion."""

    def writer(wording: Wording) -> WriteReport:
        return lambda described, _, rng: write_report(described, wording, rng)

    return ReportStyle(writer(training), writer(test), all_in_every_second)
