"""What reports of the task "findings" say: a nodule or a ground-glass opacity at a site, and what is not there.

Training and test share no template, denial or filler; only the phrases for the sites are common. Every template names
its kind by the same word ("nodule", "ground-glass"), so that two sentences about one finding are never taken for two
(nnunet_reportseg.told_apart).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnunet_reportseg.data import phantom_wording
from nnunet_reportseg.data.draft_report import DraftReport, Statement, assemble
from nnunet_reportseg.data.finding_kinds import Kind, KindAtSite, lacking
from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.report_style import all_in_every_second
from nnunet_reportseg.data.report_writer import Wording, deny, describe

Wordings = Mapping[Kind, Wording]

TRAINING_WORDING: Wordings = {
    Kind.NODULE: Wording(
        positives=(
            "There is a nodule in the {site}.",
            "A solid nodule is seen in the {site}.",
            "Nodule in the {site}.",
            "The {site} contains a well-defined nodule.",
            "A round nodule is present in the {site}.",
            "CT shows a soft tissue nodule in the {site}.",
            "In the {site}, a rounded nodule is visible.",
            "Solid nodule within the {site}.",
            "Dense nodule noted in the {site}.",
            "A well-circumscribed nodule lies in the {site}.",
            "The {site} shows a solid nodule.",
            "Rounded soft tissue nodule in the {site}.",
            "We note a compact nodule in the {site}.",
            "A smooth-bordered nodule occupies the {site}.",
        ),
        denials=(
            "No nodule in the {site}.",
            "There is no nodule in the {site}.",
            "No solid nodule is seen in the {site}.",
            "The {site} shows no nodule.",
            "No evidence of a nodule in the {site}.",
            "The {site} is free of nodules.",
        ),
        fillers=phantom_wording.TRAINING_WORDING.fillers,
    ),
    Kind.OPACITY: Wording(
        positives=(
            "There is a ground-glass opacity in the {site}.",
            "A hazy ground-glass opacity is seen in the {site}.",
            "Ground-glass attenuation in the {site}.",
            "The {site} contains an area of ground-glass density.",
            "Faint ground-glass change is present in the {site}.",
            "CT shows ground-glass opacification in the {site}.",
            "In the {site}, a cloudy ground-glass area is visible.",
            "Ground-glass haze within the {site}.",
            "Focal ground-glass opacity noted in the {site}.",
            "An ill-defined ground-glass area lies in the {site}.",
            "The {site} shows a ground-glass opacity.",
            "Hazy ground-glass density in the {site}.",
            "We note a faint ground-glass opacity in the {site}.",
            "A soft ground-glass opacity occupies the {site}.",
        ),
        denials=(
            "No ground-glass opacity in the {site}.",
            "There is no ground-glass opacity in the {site}.",
            "No ground-glass change is seen in the {site}.",
            "The {site} shows no ground-glass attenuation.",
            "No evidence of ground-glass density in the {site}.",
            "The {site} is free of ground-glass opacities.",
        ),
        fillers=phantom_wording.TRAINING_WORDING.fillers,
    ),
}

TEST_WORDING: Wordings = {
    Kind.NODULE: Wording(
        positives=(
            "A spherical nodule is identified in the {site}.",
            "Within the {site} there is a firm nodule.",
            "Imaging demonstrates a nodule in the {site}.",
            "Pulmonary nodule located in the {site}.",
            "The {site} harbours a dense round nodule.",
            "A homogeneous nodule is found in the {site}.",
            "One solid nodule can be seen in the {site}.",
            "Soft tissue nodule, {site}.",
        ),
        denials=(
            "No nodule is identified in the {site}.",
            "The {site} contains no nodule.",
            "There is no evidence of a solid nodule in the {site}.",
            "No pulmonary nodule within the {site}.",
        ),
        fillers=phantom_wording.TEST_WORDING.fillers,
    ),
    Kind.OPACITY: Wording(
        positives=(
            "A ground-glass focus is identified in the {site}.",
            "Within the {site} there is a veil-like ground-glass opacity.",
            "Imaging demonstrates ground-glass attenuation in the {site}.",
            "Ground-glass opacity in the {site}.",
            "The {site} harbours a faint ground-glass area.",
            "A zone of ground-glass density is found in the {site}.",
            "One ground-glass opacity can be seen in the {site}.",
            "Ground-glass opacification, {site}.",
        ),
        denials=(
            "No ground-glass opacity is identified in the {site}.",
            "The {site} contains no ground-glass area.",
            "There is no evidence of ground-glass change in the {site}.",
            "No ground-glass attenuation within the {site}.",
        ),
        fillers=phantom_wording.TEST_WORDING.fillers,
    ),
}


@dataclass(frozen=True)
class AbsentFinding:
    """What a test case is asked for and does not have.

    Attributes:
        thing: What it is.
        text: Affirmative words for it.
        denied: Whether the report denies it; otherwise the report does not mention it.
    """

    thing: KindAtSite
    text: str
    denied: bool


def write_training_report(
    findings: Sequence[Lesion], index: int, rng: np.random.Generator
) -> tuple[DraftReport, tuple[KindAtSite, ...]]:
    """Describe all findings in every second case, else a random part; deny about half of what is not there.

    Returns:
        The report, and what it denies.
    """
    described = all_in_every_second(findings, index, rng)
    denied = tuple(thing for thing in lacking(findings) if rng.random() < 0.5)
    return _write(described, denied, TRAINING_WORDING, rng), denied


def write_test_report(
    findings: Sequence[Lesion], rng: np.random.Generator
) -> tuple[DraftReport, tuple[AbsentFinding, ...]]:
    """Describe all findings, and deny about half of what is not there: at least one thing, and not all.

    Returns:
        The report, and everything that is not there.
    """
    absent = lacking(findings)
    number = 1 + int(rng.binomial(len(absent) - 2, 0.5))
    chosen = set(rng.permutation(len(absent))[:number].tolist())
    report = _write(findings, [thing for i, thing in enumerate(absent) if i in chosen], TEST_WORDING, rng)
    asked = [
        AbsentFinding(thing, describe(thing.site, TEST_WORDING[thing.kind], rng), i in chosen)
        for i, thing in enumerate(absent)
    ]
    return report, tuple(asked)


def _write(
    described: Sequence[Lesion], denied: Sequence[KindAtSite], wordings: Wordings, rng: np.random.Generator
) -> DraftReport:
    statements = [
        Statement(describe(lesion.site, wordings[KindAtSite.of(lesion).kind], rng), lesion) for lesion in described
    ]
    statements += [Statement(deny(thing.site, wordings[thing.kind], rng), denies=thing.site) for thing in denied]
    return assemble(statements, wordings[Kind.NODULE].fillers, rng)
