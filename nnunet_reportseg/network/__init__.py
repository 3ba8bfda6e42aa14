"""The report-guided network."""
