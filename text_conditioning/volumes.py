"""Volumes that a sentence states, in ml: "12.3 cc", "4 ml", "1.2 cm3", "350 cubic millimetres".

Which of them are of an earlier examination is decided by the rules for lengths: the sentence is read once more with the
volumes written as lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from text_conditioning.prior_sizes import read_sizes

_CUBED = r"(?:\s?\^\s?3|3|\u00b3)"
_ML = rf"mls?|millilit(?:er|re)s?|ccm?|cubic\s+centimet(?:er|re)s?|cm{_CUBED}"
_MM3 = rf"cubic\s+millimet(?:er|re)s?|cmm|mm{_CUBED}"
# a dose or a flow is no volume: "10 ml/min"
_VOLUMES = re.compile(
    r"(?<![\d.,])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?)\s*-?\s*"
    rf"(?:(?P<mm3>{_MM3})|(?:{_ML}))(?![\w\u00b2\u00b3^]|\s*/\s*[^\W\d]|\s+per\b)",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


@dataclass(frozen=True)
class StatedVolume:
    """A volume.

    Attributes:
        ml: Its value in ml.
        step_ml: How finely it is stated, in ml: 0.1 for "12.3 cc".
    """

    ml: float
    step_ml: float


def read_volumes(sentence: str) -> tuple[StatedVolume, ...]:
    """Read the volumes that something has now, in order of appearance.

    Args:
        sentence: One sentence of a report.

    Returns:
        The volumes; those of earlier examinations are left out.
    """
    found = list(_VOLUMES.finditer(sentence))
    if not found:
        return ()
    current = read_sizes(_VOLUMES.sub(lambda match: f"{_value(match):.3f} mm", sentence)).current
    return tuple(_stated(match) for match in found if round(_value(match), 3) in current)


def _stated(match: re.Match[str]) -> StatedVolume:
    _, _, decimals = _plain_number(match).partition(".")
    factor = 0.001 if match["mm3"] else 1.0
    return StatedVolume(_value(match) * factor, factor * 10.0 ** -len(decimals))


def _value(match: re.Match[str]) -> float:
    return float(_plain_number(match))


def _plain_number(match: re.Match[str]) -> str:
    number = match["number"]
    return number.replace(",", "" if _THOUSANDS.fullmatch(number) else ".")
