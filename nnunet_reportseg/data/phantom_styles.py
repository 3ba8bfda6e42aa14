"""The reports of each paired task of the phantom."""

from __future__ import annotations

from nnunet_reportseg.data import phantom_laterality_reports as laterality
from nnunet_reportseg.data import phantom_negation_reports as negation
from nnunet_reportseg.data import phantom_size_reports as size
from nnunet_reportseg.data import phantom_wording
from nnunet_reportseg.data.phantom_task import PhantomTask
from nnunet_reportseg.data.report_style import ReportStyle, WriteReport, all_in_every_second, site_style
from nnunet_reportseg.data.report_writer import Wording, write_report


def style_of(task: PhantomTask) -> ReportStyle:
    """The reports of a paired task."""
    if task is PhantomTask.LATERALITY:
        return ReportStyle(
            _by_side(laterality.TRAINING_WORDING), _by_side(laterality.TEST_WORDING), all_in_every_second
        )
    if task is PhantomTask.SIZE:
        return ReportStyle(_by_size(size.TRAINING_WORDING), _by_size(size.TEST_WORDING), all_in_every_second)
    if task is PhantomTask.NEGATION:
        return ReportStyle(
            _by_state(negation.TRAINING_WORDING),
            _by_state(negation.TEST_WORDING),
            lambda lesions, index, _: negation.persisting_in_turn(lesions, index),
        )
    return site_style(phantom_wording.TRAINING_WORDING, phantom_wording.TEST_WORDING)


def _by_side(wording: Wording) -> WriteReport:
    """Names a side, and in half of the reports denies the other one, where the other lesion lies."""
    return lambda described, lesions, rng: write_report(
        described, wording, rng, places=[lesion.site for lesion in lesions]
    )


def _by_size(wording: size.SizeWording) -> WriteReport:
    return lambda described, _, rng: size.write_size_report(described, wording, rng)


def _by_state(wording: negation.NegationWording) -> WriteReport:
    return lambda described, lesions, rng: negation.write_negation_report(described, lesions, wording, rng)
