"""A part of a Markdown file that a command writes, between two comments."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autograder.errors import CourseError


@dataclass(frozen=True, slots=True)
class Marked:
    """Its first and last line, without the comment's signs."""

    begin: str
    end: str

    def read(self, path: Path) -> str:
        """What is there now.

        Raises:
            CourseError: the file or its marks are missing.
        """
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for mark in (self.begin, self.end):
            if f"<!-- {mark} -->" not in text:
                raise CourseError(str(path), f"holds no line <!-- {mark} -->")
        return text.partition(f"<!-- {self.begin} -->")[2].partition(f"<!-- {self.end} -->")[0].strip()

    def write(self, path: Path, content: str) -> None:
        """Replaces it.

        Raises:
            CourseError: the file or its marks are missing.
        """
        self.read(path)
        before, mark, rest = path.read_text(encoding="utf-8").partition(f"<!-- {self.begin} -->")
        last = f"<!-- {self.end} -->"
        path.write_text(f"{before}{mark}\n\n{content}\n{last}{rest.partition(last)[2]}", encoding="utf-8")
