"""Who a container belongs to: a process, named so that a reused pid is not mistaken for it."""

from __future__ import annotations

import os
from pathlib import Path


def me() -> str:
    """`pid-starttime` of this process."""
    return f"{os.getpid()}-{_started(os.getpid())}"


def lives(owner: str) -> bool:
    """Whether that very process still runs."""
    pid, _, started = owner.partition("-")
    return pid.isdigit() and _started(int(pid)) == started


def _started(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
