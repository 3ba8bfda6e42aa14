"""What the task "findings" of the phantom asks for: a kind of finding at a site."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from nnunet_reportseg.data.lesion_volume import Lesion
from nnunet_reportseg.data.sites import SITES, Site


class Kind(str, Enum):
    """What a finding is. All findings of a kind look the same."""

    NODULE = "nodule"
    OPACITY = "opacity"


@dataclass(frozen=True)
class KindAtSite:
    """A finding that a volume has or lacks.

    Attributes:
        kind: What it is.
        site: Where it lies; each kind lies there once at most.
    """

    kind: Kind
    site: Site

    @classmethod
    def of(cls, lesion: Lesion) -> KindAtSite:
        """What a lesion is, whose record has a ``kind``."""
        return cls(Kind(lesion.record["kind"]), lesion.site)

    def record(self) -> dict[str, str]:
        """Its entry of the manifest."""
        return {"kind": self.kind.value, "side": self.site.side, "level": self.site.level}


EVERYTHING = tuple(KindAtSite(kind, site) for site in SITES for kind in Kind)


def lacking(lesions: Iterable[Lesion]) -> tuple[KindAtSite, ...]:
    """All that a volume with these lesions does not have."""
    there = {KindAtSite.of(lesion) for lesion in lesions}
    return tuple(thing for thing in EVERYTHING if thing not in there)
