"""A submission as data: named bytes, their digest, and where a line came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

ENTRY = "solution.py"
ADAPTER = "adapter.py"  # the course's own, beside it


@dataclass(frozen=True, slots=True)
class Submission:
    """What a student handed in, after extraction.

    Attributes:
        name: the file's own name, for people.
        files: relative name → bytes; holds `solution.py`.
        lines: for a notebook, line of `solution.py` (from 1) → (cell, line in cell); else empty.
        sha256: of the bytes as they were handed in; of a folder, the digest of its names and contents.
    """

    name: str
    files: dict[str, bytes]
    sha256: str
    lines: dict[int, tuple[int, int]] = field(default_factory=dict)


def digest(files: dict[str, bytes]) -> str:
    """SHA-256 over sorted names and contents, each with its length, so that no two sets collide by concatenation."""
    whole = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()
