"""Which machine this is, and how fast it copies: the fingerprint that stands beside every verdict."""

from __future__ import annotations

import hashlib
import os
import platform
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

_COPY_BYTES = 64 << 20


@lru_cache(maxsize=1)
def fingerprint() -> dict[str, Any]:
    """Processor, cores, memory, kernel, cgroup version; `id` is a hash of what changes timings."""
    processor, caches = "unknown", ""
    for line in _lines("/proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() == "model name" and processor == "unknown":
            processor = value.strip()
        if key.strip() == "cache size" and not caches:
            caches = value.strip()
    memory = next((int(x.split()[1]) for x in _lines("/proc/meminfo") if x.startswith("MemTotal")), 0)
    facts = {
        "processor": processor,
        "cache": caches,
        "cores": os.cpu_count() or 1,  # not this process' affinity: a judge steps aside
        "memory_gb": round(memory / 2**20, 1),
        "kernel": platform.release(),
        "cgroup": 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1,
    }
    key = "|".join(str(facts[k]) for k in ("processor", "cache", "cores"))
    return {"id": hashlib.sha256(key.encode()).hexdigest()[:12], **facts}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


@lru_cache(maxsize=1)
def copy_bandwidth() -> float:
    """Bytes per second of a large copy on one core, read and written bytes together: best of 5 after a warm-up."""
    source = np.ones(_COPY_BYTES // 8)
    target = np.empty_like(source)
    best = float("inf")
    for _ in range(6):
        begun = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - begun)
    return 2 * _COPY_BYTES / best
