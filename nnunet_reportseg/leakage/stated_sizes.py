"""What the text of a finding says about its size now: the length and the volume that are compared with its mask."""

from __future__ import annotations

from dataclasses import dataclass

from nnunet_reportseg.case_reports import parse_case_text
from nnunet_reportseg.sidecar import Finding, Sidecar
from text_conditioning.assertion import Assertion
from text_conditioning.reports import Sentence
from text_conditioning.sizes import find_sizes
from text_conditioning.volumes import read_volumes

_NOT_THERE = (Assertion.ABSENT, Assertion.HISTORICAL)


@dataclass(frozen=True)
class Stated:
    """A number of a report.

    Attributes:
        value: In mm or ml.
        step: How finely it is stated: 1 for "8 mm".
    """

    value: float
    step: float


@dataclass(frozen=True)
class StatedSize:
    """The size of a finding.

    Attributes:
        finding: The finding.
        length: The longest length of the first statement of size, in mm; what follows may be a distance.
        volume: The first volume, in ml.
    """

    finding: Finding
    length: Stated | None
    volume: Stated | None


def read_stated_sizes(sidecar: Sidecar, case: str) -> tuple[StatedSize, ...]:
    """Read the sizes of the findings that have voxels; findings without a size are left out.

    Raises:
        SidecarError: The case is not in the sidecar, or a text of it cannot be read.
    """
    sizes = []
    for finding in sidecar.findings(case):
        if not finding.label_values:
            continue
        statements = parse_case_text(finding.text, sidecar, case).statements
        there = [statement for statement in statements if statement.assertion not in _NOT_THERE]
        lengths = [length for statement in there if (length := _length(statement)) is not None]
        volumes = [Stated(v.ml, v.step_ml) for statement in there for v in read_volumes(statement.text)]
        if lengths or volumes:
            sizes.append(StatedSize(finding, next(iter(lengths), None), next(iter(volumes), None)))
    return tuple(sizes)


def _length(statement: Sentence) -> Stated | None:
    for size in find_sizes(statement.text):
        now = [Stated(*pair) for pair in zip(size.mm, size.steps_mm, strict=True) if pair[0] in statement.sizes_mm]
        if now:
            return max(now, key=lambda length: length.value)
    return None
