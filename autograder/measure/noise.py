"""What a student cannot cause: time that others or the hypervisor took from the guest's cores during a window."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

FOREIGN_SHARE = 0.05  # of a round; more CPU of others on the pinned cores drops the round
_V1_ALL = Path("/sys/fs/cgroup/cpuacct/cpuacct.usage_percpu")
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment, summed over the watched cores.

    Attributes:
        busy_s: CPU seconds of everybody.
        steal_s: seconds that the hypervisor gave to other machines.
        grain_s: resolution of `busy_s`.
    """

    busy_s: float
    steal_s: float
    grain_s: float


class CoreWatch:
    """Reads the counters of some cores; files stay open, because a reading must cost microseconds."""

    def __init__(self, cores: tuple[int, ...]) -> None:
        self.cores = cores
        self._stat = os.open("/proc/stat", os.O_RDONLY | os.O_CLOEXEC)
        self._percpu = os.open(_V1_ALL, os.O_RDONLY | os.O_CLOEXEC) if _V1_ALL.exists() else None

    def read(self) -> Reading:
        """Now. cgroup v1 counts nanoseconds per core; elsewhere `/proc/stat` counts ticks."""
        rows = os.pread(self._stat, 1 << 16, 0).decode("ascii", "replace").splitlines()
        fields = {r.split(" ", 1)[0]: [int(x) for x in r.split()[1:]] for r in rows if r.startswith("cpu")}
        mine = [fields[f"cpu{c}"] for c in self.cores if f"cpu{c}" in fields]
        steal = sum(row[7] for row in mine) * _TICK_S
        if self._percpu is not None:
            usage = os.pread(self._percpu, 1 << 14, 0).split()
            return Reading(sum(int(usage[c]) for c in self.cores if c < len(usage)) / 1e9, steal, 1e-4)
        busy = sum(sum(row[:3]) + sum(row[5:7]) for row in mine) * _TICK_S
        return Reading(busy, steal, 2 * _TICK_S * len(mine))

    def close(self) -> None:
        """Gives up the files."""
        os.close(self._stat)
        if self._percpu is not None:
            os.close(self._percpu)


def complaint(foreign_s: float, steal_s: float, elapsed_s: float, grain_s: float) -> str:
    """Why a round must be dropped, or nothing.

    Args:
        foreign_s: CPU seconds of others on the guest's cores within the round's windows.
        steal_s: stolen seconds within them.
        elapsed_s: the windows' length times the number of cores.
        grain_s: resolution of the foreign time.
    """
    if steal_s > FOREIGN_SHARE * elapsed_s:
        return f"the hypervisor took {steal_s * 1e3:.0f} ms"
    if foreign_s > max(FOREIGN_SHARE * elapsed_s, grain_s):
        return f"other processes took {foreign_s * 1e3:.0f} ms of the cores"
    return ""
