"""Whether a dataset gives its answers away: shared patients and reports, and text that was written from the masks."""
