"""Parts of benchmarks/performance.py: each measures one thing and returns figures by name."""
