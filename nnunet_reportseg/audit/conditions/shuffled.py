"""Another case's report: wrong text in the words of the dataset.

A derangement over images: every report is used once, and never with the image that it was written for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnunet_reportseg.audit.altered import Altered, NotApplicable, Target, with_sentences
from nnunet_reportseg.audit.cases import AuditCase


def draw_partners(cases: Sequence[AuditCase], seed: int) -> dict[str, AuditCase]:
    """For each case the case whose report it gets; cases for which there is none are left out.

    Cases in random order, those of an image together, moved on by the size of the largest image: so no case meets its
    own image, unless one image has more than half of all cases.
    """
    rng = np.random.default_rng(seed)
    by_image: dict[str, list[AuditCase]] = {}
    for case in sorted(cases, key=lambda case: case.case_id):
        by_image.setdefault(case.image_id, []).append(case)
    images = list(by_image.values())
    order = [images[i][j] for i in rng.permutation(len(images)) for j in rng.permutation(len(images[i]))]
    shift = max((len(image) for image in images), default=0)
    partners = {case.case_id: order[(place + shift) % len(order)] for place, case in enumerate(order)}
    return {case.case_id: partners[case.case_id] for case in order if partners[case.case_id].image_id != case.image_id}


def shuffled(case: AuditCase, partners: Mapping[str, AuditCase]) -> Altered | NotApplicable:
    """The report of another image; in generated datasets its target is the lesion that it would mean here."""
    partner = partners.get(case.case_id)
    if partner is None:
        return NotApplicable("there is no report of another image")
    if [s.text for s in partner.report.sentences] == [s.text for s in case.report.sentences]:
        return NotApplicable("the other case has the same report")
    report = with_sentences(case, partner.report.sentences)
    if case.lesions is None or partner.lesions is None or not case.lesions.named_by:
        return Altered(report, None)
    meant = case.lesions.named(partner.lesions.own.traits)
    several = len(case.lesions.lesions) > 1
    return Altered(report, Target(lesion=meant), meant if meant and several else None)
