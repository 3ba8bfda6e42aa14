"""Converters of published datasets, and of one's own folders, to raw nnU-Net datasets with ``reports.json``."""
