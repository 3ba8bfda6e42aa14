"""A case of an audit: image, label, report, and what the dataset knows about other findings of the same image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nnunet_reportseg.case_reports import CaseReport


@dataclass(frozen=True)
class Lesion:
    """A lesion of a generated dataset.

    Attributes:
        value: its value in the lesion map.
        traits: what a report may name it by, such as side and level.
    """

    value: int
    traits: Mapping[str, str]


@dataclass(frozen=True)
class KnownLesions:
    """All lesions of an image, described or not; generated datasets know them.

    Attributes:
        file: the lesion map: 0 background, each other value one lesion.
        described: value of the lesion that the case's own report describes.
        lesions: all of them.
        named_by: the traits by which the reports of this dataset name a lesion.
    """

    file: Path
    described: int
    lesions: tuple[Lesion, ...]
    named_by: tuple[str, ...]

    @property
    def own(self) -> Lesion:
        """The described lesion."""
        return next(lesion for lesion in self.lesions if lesion.value == self.described)

    def named(self, traits: Mapping[str, str]) -> int:
        """Value of the lesion that a report with these traits would mean here; 0 where there is none."""
        wanted = {name: traits[name] for name in self.named_by}
        fitting = [lesion for lesion in self.lesions if {n: lesion.traits[n] for n in self.named_by} == wanted]
        return fitting[0].value if fitting else 0


@dataclass(frozen=True)
class AuditCase:
    """A case.

    Attributes:
        case_id: identifier.
        image_id: the same for cases that share an image.
        images: one file per channel.
        label: the label file.
        report: its own report.
        lesions: all lesions of the image, where the dataset knows them.
        sibling: another case with the same image, where there is one.
        given: reports that the dataset itself offers for conditions, by their name.
    """

    case_id: str
    image_id: str
    images: tuple[Path, ...]
    label: Path
    report: CaseReport
    lesions: KnownLesions | None = None
    sibling: str | None = None
    given: Mapping[str, CaseReport] = field(default_factory=dict)

    @cached_property
    def finding_groups(self) -> tuple[frozenset[int], ...]:
        """Label values of each finding; findings that share a sentence count as one."""
        groups: dict[int, frozenset[int]] = {}
        for group, finding in zip(self.report.finding_groups(), self.report.findings, strict=True):
            groups[group] = groups.get(group, frozenset()) | frozenset(finding.label_values)
        return tuple(groups.values())

    @property
    def alternatives(self) -> int | None:
        """How many findings the image is known to have, described or not; None where nothing is known."""
        if self.lesions is not None:
            return len(self.lesions.lesions)
        return len(self.finding_groups) or None
