"""Grades parallel-computing and scientific-ML coursework in containers, by paired duels against reference kernels."""

__version__ = "0.1.0"
