"""Trainers of the benchmark's variants."""

from following.token_keys import ReportGuidedTrainer_TokenKeys

__all__ = ["ReportGuidedTrainer_TokenKeys"]
