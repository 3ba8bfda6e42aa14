"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from typing import Literal


class MissingReport(Enum):
    """What a case without an entry in the sidecar means: an error, or no report."""

    ERROR = "error"
    NULL = "null"

    @property
    def choice(self) -> Literal["error", "null"]:
        """The value as the library's functions take it."""
        return "error" if self is MissingReport.ERROR else "null"
