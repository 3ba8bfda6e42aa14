"""The labels of a converted dataset, as its ``dataset.json`` declares them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnunet_reportseg.errors import DatasetError

FINDING = "finding"
IGNORE = "ignore"
_DECLARE = "declare the labels (--label NAME=VALUE), or correct the label file"


def require_declared(
    values: frozenset[int], labels: Mapping[str, tuple[int, ...]] | None, *, case: str, file: Path
) -> None:
    """Make sure that a label file holds declared values only.

    Args:
        values: Values of the foreground in the file.
        labels: The declared labels; ``None`` allows every value.
        case: Case identifier.
        file: The label file.

    Raises:
        DatasetError: It holds another value.
    """
    if labels is None:
        return
    declared = {value for region in labels.values() for value in region}
    if values - declared:
        raise DatasetError.about(
            f"the label file holds a value that no label declares (declared: {', '.join(map(str, sorted(declared)))})",
            case=case,
            file=file,
            value=min(values - declared),
            fix=_DECLARE,
        )


def dataset_labels(
    values: Mapping[str, frozenset[int]], labels: Mapping[str, tuple[int, ...]] | None, *, ignore_label: bool = False
) -> tuple[dict[str, int | list[int]], list[int] | None]:
    """The entries ``labels`` and ``regions_class_order`` of ``dataset.json``.

    Args:
        values: Values of the foreground by case.
        labels: The declared labels; ``None`` makes one region ``finding`` of all values that occur.
        ignore_label: Whether nnU-Net's ignore label, the next higher value, is added to that region.

    Raises:
        DatasetError: No case has a foreground, or the values are not 1, 2, ... without a gap.
    """
    if labels is None:
        found = frozenset().union(*values.values())
        if not found:
            raise DatasetError.about("no label file has a foreground", fix="check the label files: 0 is background")
        labels = {FINDING: tuple(sorted(found))}
        if ignore_label:
            labels[IGNORE] = (max(found) + 1,)
    declared = {value for region in labels.values() for value in region}
    gaps = sorted(set(range(1, max(declared) + 1)) - declared)
    if gaps:
        raise DatasetError.about(
            f"nnU-Net wants label values without gaps, and there is no {gaps[0]}",
            case=next((case for case, present in values.items() if max(declared) in present), None),
            value=sorted(declared),
            fix="number the values of the label files 1, 2, ..., or declare those in between (--label NAME=VALUE)",
        )
    entries: dict[str, int | list[int]] = {"background": 0}
    entries.update({name: region[0] if len(region) == 1 else list(region) for name, region in labels.items()})
    regions = any(len(region) > 1 for region in labels.values())
    order = [region[0] for name, region in labels.items() if name != IGNORE]
    return entries, order if regions else None
