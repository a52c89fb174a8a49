"""Guests as plain processes: isolates nothing, and says so. For students' own checks, and machines without an engine."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import autograder.guest
from autograder.domain.device import real, uuid
from autograder.domain.execution import Usage
from autograder.errors import SandboxError
from autograder.sandbox.base import hello
from autograder.sandbox.profile import Profile

START_S = 60.0
CONFIRM_S = 5.0
_SHIMS = Path(autograder.guest.__file__).parent
_KEPT = ("PATH", "LANG", "LD_LIBRARY_PATH", "CUDA_HOME", "CUDA_VISIBLE_DEVICES", "VIRTUAL_ENV")


class NotIsolated(UserWarning):
    """Student code runs with this user's rights."""


class ProcessGuest:
    """A process group that is stopped and continued by signals."""

    isolated = False

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        channels: tuple[socket.socket, ...],
        profile: Profile,
        folder: str,
    ) -> None:
        self.process, self.channels, self.profile, self.folder = process, channels, profile, folder

    def _members(self) -> list[int]:
        """Pids of the group that are not zombies."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                state = _state(int(entry.name))
                if state is not None and state[1] == self.process.pid and state[0] not in "ZX":
                    found.append(int(entry.name))
        return found

    def holds(self, pid: int) -> bool:
        """By its process group."""
        state = _state(pid)
        return state is None or state[1] == self.process.pid

    @property
    def alive(self) -> bool:
        """Whether the shim (of a world its launcher) still lives."""
        state = _state(self.process.pid)
        return state is not None and state[0] not in "ZX"

    def ended_frozen(self) -> bool:
        """What is stopped dies at once."""
        return not self.alive

    def freeze(self) -> None:
        """SIGSTOP to the group, and waits until the shim has stopped."""
        self._signal(signal.SIGSTOP)
        until, looks = time.monotonic() + CONFIRM_S, 0
        while (state := _state(self.process.pid)) is not None and state[0] not in "TtZX":
            if time.monotonic() > until:
                raise SandboxError("the process did not stop")
            looks += 1
            if looks > 50:  # a nap would be part of the call's time
                time.sleep(0.0001)

    def thaw(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def usage(self) -> Usage:
        """CPU time of the shim's process."""
        try:
            fields = (
                Path(f"/proc/{self.process.pid}/stat")
                .read_text(encoding="utf-8", errors="replace")
                .rpartition(")")[2]
                .split()
            )
        except OSError:
            return Usage()
        return Usage((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))

    def out_of_memory(self, before: int = 0) -> bool:
        """Nobody counts here; a kill by the kernel looks like any other."""
        return False

    def kill(self) -> None:
        """Ends the group."""
        for pid in self._members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._signal(signal.SIGCONT)
        self.process.wait()
        for channel in self.channels:
            channel.close()

    def remove(self) -> None:
        """Its working directory."""
        shutil.rmtree(self.folder, ignore_errors=True)


class ProcessSandbox:
    """Starts guests beside the judge. Never used for grades that are recorded."""

    isolated = False

    def start(self, profile: Profile, label: str) -> ProcessGuest:
        """See `Sandbox.start`."""
        warnings.warn(
            f"{label}: the code runs as an ordinary process with your rights: not isolated, not recorded",
            NotIsolated,
            stacklevel=2,
        )
        folder = tempfile.mkdtemp(prefix="autograder-")
        address = f"{folder}/.s"
        environment = {
            **profile.environment,
            **{k: os.environ[k] for k in _KEPT if k in os.environ},
            **({"CUDA_VISIBLE_DEVICES": uuid(profile.device)} if real(profile.device) else {}),
            "HOME": folder,
            "TMPDIR": folder,
            "NUMBA_CACHE_DIR": folder,
        }
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(address)
            listener.listen(max(profile.ranks, 1))
            listener.settimeout(START_S)
            process = subprocess.Popen(  # noqa: S603  # our own shim
                profile.command(sys.executable, str(_SHIMS), address),
                cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                preexec_fn=lambda: _prepare(profile),  # single-threaded judge
            )  # fmt: skip
            try:
                channels = _accept(listener, process, max(profile.ranks, 1))
            except SandboxError:
                process.kill()
                shutil.rmtree(folder, ignore_errors=True)
                raise
        assert process.stderr is not None
        process.stderr.close()
        guest = ProcessGuest(process, channels, profile, folder)
        guest.freeze()
        return guest


def _prepare(profile: Profile) -> None:
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: the guest dies with its judge
    with contextlib.suppress(OSError):  # none of them is ours
        os.sched_setaffinity(0, profile.cores)  # whatever the judge keeps to: it has stepped aside


def _accept(listener: socket.socket, process: subprocess.Popen[bytes], ranks: int) -> tuple[socket.socket, ...]:
    """The shims' connections, by rank."""
    until = time.monotonic() + START_S
    listener.settimeout(0.2)
    found: dict[int, socket.socket] = {}
    while len(found) < ranks and time.monotonic() < until:
        try:
            channel, _ = listener.accept()
        except TimeoutError:
            if process.poll() is not None:
                words: Any = process.stderr.read() if process.stderr is not None else b""
                raise SandboxError(f"the shim ended: {words.decode(errors='replace')[-500:]}") from None
            continue
        channel.settimeout(START_S)
        found[hello(channel)] = channel
    if sorted(found) != list(range(ranks)):
        raise SandboxError("the shim did not report")
    return tuple(found[r] for r in range(ranks))


def _state(pid: int) -> tuple[str, int] | None:
    """State letter and process group."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[2])
