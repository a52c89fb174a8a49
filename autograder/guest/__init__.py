"""Copied into the container: standard library and NumPy; imports nothing of ours."""
