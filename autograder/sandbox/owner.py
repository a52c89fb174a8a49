"""Who a container belongs to: a node in a process, named so that a reused pid is not mistaken for it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

_NODES = itertools.count(1)


def me() -> str:
    """`pid-starttime` of this process."""
    return f"{os.getpid()}-{_started(os.getpid())}"


def another() -> str:
    """`pid-starttime.number`: a process may have several nodes, and the end of one is not that of the others."""
    return f"{me()}.{next(_NODES)}"


def lives(owner: str) -> bool:
    """Whether that very process still runs."""
    pid, _, started = owner.partition(".")[0].partition("-")
    return pid.isdigit() and _started(int(pid)) == started


def _started(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
