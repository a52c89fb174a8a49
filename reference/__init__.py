"""Oracles, baselines and reference kernels of the course, one topic a file."""
