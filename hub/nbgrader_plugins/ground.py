"""nbgrader's course directory as a privileged process must take it: every TA writes there, so nothing in it is run, and no
link in it is followed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

_STEPS = ("source", "release", "submitted", "autograded", "feedback")


class LinkError(OSError):
    """Where we would write lies a link."""


def refuse_links(course_dir: Path, assignment: str, student: str) -> None:
    """Looks at the folders that nbgrader's steps write; those below are made anew.

    Raises:
        LinkError: with the place.
    """
    folders = [
        course_dir / step / part for step in _STEPS for part in ("", assignment, student, f"{student}/{assignment}")
    ]
    for path in (course_dir / "gradebook.db", *folders):
        if path.is_symlink():
            raise LinkError(f"{path} is a link, and nothing is written through it: put a folder or file in its place")


def writable(path: Path) -> TextIO:
    """A file of ours, emptied.

    Raises:
        OSError: a link lies there.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "w", encoding="utf-8")


def give(folder: Path, uid: int, gid: int) -> None:
    """Everything in the folder, and at last itself, belongs to that user; links themselves, never what they lead to."""
    for _, folders, names, here in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *names):
            with suppress(FileNotFoundError):  # somebody works there
                if os.stat(name, dir_fd=here, follow_symlinks=False).st_uid != uid:
                    os.chown(name, uid, gid, dir_fd=here, follow_symlinks=False)
    if folder.lstat().st_uid != uid:
        os.chown(folder, uid, gid, follow_symlinks=False)
