"""A grading for people: terminal table, JSON, one self-contained HTML page."""
