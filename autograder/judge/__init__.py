"""One process per grading: holds seeds, expected answers, tolerances, the clock and the verdict."""
