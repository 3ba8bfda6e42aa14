"""Typed errors of the plugin, one base class.

Every message names the case, the file, the value and the fix. The command line turns any of these into its message
on stderr and exit code 2; anything else is a bug and keeps its traceback.
"""

from __future__ import annotations


class ReportSegError(Exception):
    """Base of every error the plugin raises about something a user can put right."""


class SidecarError(ReportSegError):
    """The sidecar (``reports.json``) is missing, malformed, or does not match the cases it is used for."""


class DatasetError(ReportSegError):
    """A raw or preprocessed dataset is missing, incomplete, or contradicts its ``dataset.json``."""


class PathsError(ReportSegError):
    """An ``nnUNet_*`` environment variable is unset or names a folder that does not exist."""


class VersionError(ReportSegError):
    """The installed nnU-Net is not a version this plugin was written for."""


class GeometryError(ReportSegError):
    """The left-right axis of an image cannot be found, or differs between the cases of a dataset."""


class ArchitectureError(ReportSegError):
    """The planned architecture has no U-Net encoder and decoder to attach the report adapter to."""


class ReportContextError(ReportSegError):
    """A network was run without being told which report to read."""


class ModelMismatchError(ReportSegError):
    """A checkpoint was trained with another encoder, text processing or adapter than the one in use."""
