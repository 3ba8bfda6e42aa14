"""Parts of benchmarks/grounding.py."""
