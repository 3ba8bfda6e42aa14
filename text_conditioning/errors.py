"""Errors of the text side: one base class, so that a caller can catch them all."""

from __future__ import annotations

from typing import TypeVar

_Error = TypeVar("_Error", bound="TextConditioningError")


class TextConditioningError(Exception):
    """Base class of every error this package raises on purpose.

    Attributes:
        problem: What is wrong, without the fix.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.problem = message

    @classmethod
    def about(cls: type[_Error], problem: str, *, fix: str) -> _Error:
        """Build an error that a user can put right.

        Args:
            problem: What is wrong, without a full stop.
            fix: What to do about it, as an instruction.

        Returns:
            The error, ready to be raised.
        """
        error = cls(f"{problem}. Fix: {fix}")
        error.problem = problem
        return error


class EncoderError(TextConditioningError):
    """A text encoder is unknown, cannot be loaded, or cannot encode what it was given."""


class BankError(TextConditioningError):
    """An embedding bank is missing, damaged, or lacks a sentence."""


class ReportTextError(TextConditioningError, ValueError):
    """A report holds nothing to read."""


class AssertionRulesError(TextConditioningError, ValueError):
    """A file with the assertion rules of a language cannot be read or does not follow the format."""


class WhiteningError(TextConditioningError, ValueError):
    """Vectors given to the whitening have the wrong shape or are not finite."""


class AlignmentError(TextConditioningError):
    """The alignment of image and text broke down."""
