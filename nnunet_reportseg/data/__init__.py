"""Generators of paired benchmark datasets: a synthetic phantom and real nodules implanted into real CT."""
