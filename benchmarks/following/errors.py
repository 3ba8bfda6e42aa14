"""What the benchmark refuses."""

from __future__ import annotations


class BenchmarkError(ValueError):
    """The benchmark cannot do what it was asked; the message says why."""
