"""A sample class for demonstrations: who hands in what; every file is a solution or a mutant of the course itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.domain.assignment import Assignment


@dataclass(frozen=True, slots=True)
class Pupil:
    """One of the sample class.

    Attributes:
        name: as an account is named.
        about: what they hand in, in words.
        source: `@n` for the assignment's n-th solution, else a path under its folder.
    """

    name: str
    about: str
    assignment: str
    source: str

    def file(self, work: Assignment) -> Path:
        """What they hand in."""
        if not self.source.startswith("@"):
            return work.folder / self.source
        return sorted((work.folder / "solutions").glob("*.py"))[int(self.source[1:]) - 1]


CLASS = (
    Pupil("ada", "tiles in Numba", "a02_bifurcation", "@2"),
    Pupil("bob", "window off by one", "a02_bifurcation", "mutants/window_one_late.py"),
    Pupil("cem", "a table of answers", "a02_bifurcation", "mutants/precomputed_table.py"),
    Pupil("dag", "threads", "a03_bifurcation_parallel", "@1"),
    Pupil("eva", "a race", "a03_bifurcation_parallel", "mutants/race.py"),
    Pupil("fay", "fused in Numba", "a04_heat_plate", "@2"),
    Pupil("gil", "C through cffi", "a04_heat_plate", "@1"),
    Pupil("hua", "NumPy temporaries", "a04_heat_plate", "mutants/temporaries.py"),
    Pupil("ivo", "changes its input", "a04_heat_plate", "mutants/mutates_input.py"),
    Pupil("jin", "remembers answers", "a04_heat_plate", "mutants/remembers_the_last_answer.py"),
    Pupil("kim", "C in lanes of floats", "a16_asian_option", "@1"),
    Pupil("lea", "invented error bars", "a16_asian_option", "mutants/invented_error.py"),
)
