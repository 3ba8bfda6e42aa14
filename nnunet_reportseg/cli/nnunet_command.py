"""A command that uses nnU-Net."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from nnunet_reportseg.compatibility import require_supported_nnunet


class NnunetCommand(TyperCommand):
    """A command that uses nnU-Net, and refuses versions that it was not written for; its help is shown all the same."""

    def invoke(self, ctx: Any) -> Any:
        """Check the version, then run the command."""
        require_supported_nnunet()
        return super().invoke(ctx)
