"""Scoring: segmentations against references, and paired cases against the ceiling of a network that cannot read."""
