"""The nnU-Net versions this plugin was written for.

The plugin subclasses trainer and predictor, whose methods are no public interface: another minor version may move
them. Refusing by name is kinder than an attribute error in the middle of a training.
"""

from __future__ import annotations

import re

from nnunet_reportseg.errors import VersionError

SUPPORTED_NNUNET = ">=2.8,<2.9"
_MINOR = (2, 8)


def require_supported_nnunet() -> str:
    """Return the installed nnU-Net version if it is supported.

    Raises:
        VersionError: nnU-Net is not installed, or is too old or too new. The message names the version found and the
            pip command that puts it right.
    """
    from importlib import metadata  # takes a fifth of what `reportseg --help` needs, and does not need

    try:
        found = metadata.version("nnunetv2")
    except metadata.PackageNotFoundError as error:
        raise _version_error("nnU-Net is not installed", None) from error
    release = re.match(r"(\d+)\.(\d+)", found)
    if release is None:
        raise _version_error("the installed nnU-Net has a version that cannot be read", found)
    version = (int(release[1]), int(release[2]))
    if version != _MINOR:
        age = "old" if version < _MINOR else "new"
        raise _version_error(f"the installed nnU-Net is too {age}; supported is nnunetv2{SUPPORTED_NNUNET}", found)
    return found


def _version_error(problem: str, found: str | None) -> VersionError:
    return VersionError.about(problem, value=found, fix=f'pip install "nnunetv2{SUPPORTED_NNUNET}"')
