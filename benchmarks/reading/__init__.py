"""Parts of ``benchmarks/report_reading.py``: how reports are split and read, on data that is not in the repository."""
