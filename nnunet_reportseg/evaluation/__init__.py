"""Scoring: segmentations against references, and paired test cases against the ceiling of a network that cannot read."""
