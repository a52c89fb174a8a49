"""Guests in containers: the only file that imports `docker` (a Podman socket answers the same calls)."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import struct
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import Mount

import autograder.guest
from autograder.domain.execution import Usage
from autograder.errors import MachineError, SandboxError
from autograder.sandbox.base import hello
from autograder.sandbox.freezer import CONFIRM_S, Cgroup, killed
from autograder.sandbox.profile import Profile
from autograder.sandbox.shims import Shims
from autograder.sandbox.state import state_folder

LABEL = "autograder.owner"
START_S = 20.0
ENGINE_NOTICES_S = 1.0
ENGINE_FORGETS_S = 5
ENGINE_TIMEOUT_S = 60
_SHIMS = Path(autograder.guest.__file__).parent
_KILLED = 128 + signal.SIGKILL  # as an exit code
_FIRST_UID, _UIDS = 200_000, 60_000  # one user per guest, so that per-user kernel limits are not shared


def connect() -> docker.DockerClient:
    """The engine: `DOCKER_HOST` if set, else Docker's socket, else Podman's.

    Raises:
        MachineError: none answers.
    """
    sockets = [
        Path("/var/run/docker.sock"),
        Path(f"/run/user/{os.getuid()}/podman/podman.sock"),
        Path("/run/podman/podman.sock"),
    ]
    addresses = (
        [os.environ["DOCKER_HOST"]] if "DOCKER_HOST" in os.environ else [f"unix://{s}" for s in sockets if s.exists()]
    )
    problem = "no socket of Docker or Podman was found"
    for address in addresses:
        try:
            client = docker.DockerClient(base_url=address, timeout=ENGINE_TIMEOUT_S, version="auto")
            client.ping()
        except (DockerException, OSError) as error:
            problem = f"{address}: {error}"
        else:
            return client
    raise MachineError(
        f"no container engine answers ({problem}); run `make setup`, or use --sandbox subprocess to try without isolation"
    )


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """One kind of error, whether the engine refuses or is away: docker-py lets those of `requests`, which are OSErrors, through."""
    try:
        yield
    except (DockerException, OSError) as error:
        raise SandboxError(f"{what}: {error}") from error


@dataclass(slots=True)
class ContainerGuest:
    """One running container with a shim in it, or one per rank."""

    container: str
    pids: tuple[int, ...]
    cgroup: Cgroup
    channels: tuple[socket.socket, ...]
    profile: Profile
    isolated: bool = True
    _engine: ContainerSandbox | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        return {n: getattr(self, n) for n in ("container", "pids", "cgroup", "channels", "profile", "isolated")} | {
            "_engine": None
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def engine(self) -> ContainerSandbox:
        """The engine's client of this process; a guest may have crossed from another one."""
        if self._engine is None:
            self._engine = ContainerSandbox.shared()
        return self._engine

    @property
    def alive(self) -> bool:
        """Whether every shim still lives (a zombie does not)."""
        try:
            stats = [Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace") for pid in self.pids]
        except OSError:
            return False
        return all(stat.rpartition(")")[2].split()[0] not in "ZX" for stat in stats)

    def ended_frozen(self) -> bool:
        """What is frozen by cgroup v1 dies when it is thawed; until then the signal is pending."""
        return not self.alive or any(killed(pid) for pid in self.pids)

    def holds(self, pid: int) -> bool:
        """By the process's control group, which no guest can leave."""
        try:
            return self.container in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return True  # it has ended: whoever it was, it uses nothing any more

    def freeze(self) -> None:
        """By cgroup file, or by the engine's API where this user may not write it."""
        if self.cgroup.writable:
            self.cgroup.freeze()
            return
        until = time.monotonic() + CONFIRM_S
        while self.alive:
            try:
                return self.engine.pause(self.container)
            except SandboxError:  # runc sometimes says "unable to freeze" of a busy group, and can a moment later
                if time.monotonic() > until:
                    raise
                time.sleep(0.001)

    def thaw(self) -> None:
        """The other way."""
        if self.cgroup.writable:
            self.cgroup.thaw()
        else:
            self.engine.unpause(self.container)

    def usage(self) -> Usage:
        """From the cgroup's files."""
        return self.cgroup.usage()

    def out_of_memory(self, before: int = 0) -> bool:
        """The kernel's count, or after the container's end, when that is gone, the engine's memory of it."""
        if self.usage().oom_kills > before:
            return True
        return not self.alive and self.engine.oom_killed(self.container, itself=before > 0)

    def kill(self) -> None:
        """Ends every process."""
        try:
            if self.cgroup.writable:
                self.cgroup.kill()
            elif self.cgroup.processes():
                self.engine.kill(self.container, self.cgroup)
        finally:
            for channel in self.channels:
                channel.close()

    def remove(self) -> None:
        """Removes the dead container and its tmpfs."""
        self.engine.remove(self.container)


class ContainerSandbox:
    """Makes hardened containers."""

    isolated = True
    _shared: ContainerSandbox | None = None

    def __init__(self, client: docker.DockerClient, owner: str) -> None:
        """Args:
        client: the engine.
        owner: whose death ends these containers (`sandbox.owner`).
        """
        self.client = client
        self.owner = owner
        self._shims = Shims()

    @classmethod
    def shared(cls, owner: str = "") -> ContainerSandbox:
        """One client per process."""
        if cls._shared is None or (owner and cls._shared.owner != owner):
            cls._shared = cls(connect(), owner)
        return cls._shared

    def answers(self) -> bool:
        """Whether the engine is alive."""
        try:
            return bool(self.client.ping())
        except (DockerException, OSError):
            return False

    @_asking("no container can be started")
    def start(self, profile: Profile, label: str) -> ContainerGuest:
        """See `Sandbox.start`."""
        folder = Path(tempfile.mkdtemp(prefix=f"g{self.owner}-", dir=state_folder()))
        folder.chmod(0o755)
        container = ""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                listener.bind(str(folder / "s"))
                (folder / "s").chmod(0o666)
                listener.listen(max(profile.ranks, 1))
                listener.settimeout(START_S)
                container = self._create(profile, label, folder)
                self.client.api.start(container)
                found = dict(self._accept(listener, container) for _ in range(max(profile.ranks, 1)))
            return self._adopt(container, found, profile)
        except (DockerException, OSError, SandboxError) as error:
            if container:
                with contextlib.suppress(SandboxError):  # the reaper will; what matters is why it did not start
                    self.remove(container)
            raise SandboxError(f"a container did not start: {error}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _create(self, profile: Profile, label: str, folder: Path) -> str:
        uid = 0 if "user" in profile.weakened else _FIRST_UID + secrets.randbelow(_UIDS)
        mounts = [
            Mount("/run/judge", str(folder), type="bind", read_only=True),
            Mount("/opt/guest", str(_SHIMS), type="bind", read_only=True),
        ]
        made = self.client.api.create_container(
            image=profile.image,
            entrypoint=profile.entry,
            command=profile.command("/opt/venv/bin/python", "/opt/guest", "/run/judge/s"),
            environment=profile.environment,
            user=f"{uid}:{uid}",
            working_dir="/work",
            labels={LABEL: self.owner, "autograder.label": label, "autograder.job": label.partition("/")[0]},
            network_disabled="network" not in profile.weakened,
            host_config=self.client.api.create_host_config(mounts=mounts, **profile.limits(uid)),
        )
        return str(made["Id"])

    def _accept(self, listener: socket.socket, container: str) -> tuple[int, tuple[socket.socket, int]]:
        """A shim's rank, its connection and its pid as this host sees it."""
        try:
            channel, _ = listener.accept()
        except TimeoutError:
            state = self.client.api.inspect_container(container)["State"]
            how = f"{state.get('Status')}, exit code {state.get('ExitCode')} {state.get('Error')}"
            raise SandboxError(f"the shim did not report within {START_S:.0f} s: {how}") from None
        channel.settimeout(START_S)
        pid, _, _ = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return hello(channel), (channel, pid)

    def _adopt(self, container: str, found: dict[int, tuple[socket.socket, int]], profile: Profile) -> ContainerGuest:
        channels, pids = zip(*(found[rank] for rank in sorted(found)), strict=True)
        if len(channels) != max(profile.ranks, 1):
            raise SandboxError(f"{len(channels)} ranks reported instead of {profile.ranks}")
        cgroup = Cgroup.of(pids[0])
        if container not in str(cgroup.freezer):
            raise SandboxError(f"process {pids[0]} does not belong to container {container[:12]}")
        if not cgroup.writable:
            warnings.warn(
                "no right to write the cgroup freezer: pausing through the engine, 100 times slower", stacklevel=2
            )
        guest = ContainerGuest(container, pids, cgroup, channels, profile, _engine=self)
        guest.freeze()
        return guest

    def pause(self, container: str) -> None:
        """The slow way to freeze."""
        self._quietly(self.client.api.pause, container)

    def unpause(self, container: str) -> None:
        """And to thaw."""
        self._quietly(self.client.api.unpause, container)

    @_asking("a container could not be ended")
    def kill(self, container: str, cgroup: Cgroup) -> None:
        """The slow way to end every process, paused or not: signals wait until it is thawed. Returns when none is left."""
        until = time.monotonic() + CONFIRM_S
        while cgroup.processes():
            if time.monotonic() > until:
                raise SandboxError(f"container {container[:12]} could not be ended through the engine")
            for act in (self.client.api.kill, self.client.api.unpause):
                with contextlib.suppress(APIError):  # an engine refuses what is not paused, or has ended
                    act(container)
            time.sleep(0.01)

    @_asking("the engine does not say how a container ended")
    def oom_killed(self, container: str, *, itself: bool = False) -> bool:
        """What the engine remembers of a container that ended; it learns of the end a moment later.

        Args:
            itself: its first process must have been killed, too: the engine remembers any other's, however long ago.
        """
        until = time.monotonic() + ENGINE_NOTICES_S
        while True:
            try:
                state = self.client.api.inspect_container(container)["State"]
            except DockerException:
                return False
            if (state.get("OOMKilled") and not itself) or not state.get("Running") or time.monotonic() > until:
                return bool(state.get("OOMKilled")) and (not itself or state.get("ExitCode") == _KILLED)
            time.sleep(0.02)

    @_asking("a container could not be removed")
    def remove(self, container: str) -> None:
        """Removes a container, dead, alive or frozen (the engine cannot kill what is frozen, and would leave its shim)."""
        try:
            pid = int(self.client.api.inspect_container(container)["State"].get("Pid") or 0)
            if pid:
                with contextlib.suppress(SandboxError):
                    cgroup = Cgroup.of(pid)
                    if container in str(cgroup.freezer):
                        cgroup.kill() if cgroup.writable else self.kill(container, cgroup)
            # a removal that overtakes the engine's own handling of the exit leaves the container's shim behind
            with contextlib.suppress(APIError, OSError):
                self.client.api.wait(container, timeout=ENGINE_FORGETS_S)
            self.client.api.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409:  # 409: a removal is already under way
                raise
        self._shims.removed(container)

    @_asking("the engine did not do it")
    def _quietly(self, action: Any, container: str) -> None:
        try:
            action(container)
        except APIError as error:
            if error.status_code not in (404, 409):
                raise

    @_asking("the engine does not list its containers")
    def owned(self) -> dict[str, str]:
        """Every container that any judge of this program made: id → owner."""
        found = self.client.api.containers(all=True, filters={"label": LABEL})
        return {c["Id"]: c["Labels"][LABEL] for c in found}

    def release(self) -> None:
        """Gives up idle connections to the engine; the next call opens new ones. Shims get a moment to leave."""
        self._shims.settle()
        self.client.close()

    @_asking("a judge's own containers could not be listed")
    def remove_labelled(self, job: str) -> None:
        """Removes the containers that a judge started for itself."""
        for found in self.client.api.containers(all=True, filters={"label": f"autograder.job={job}"}):
            self.remove(found["Id"])

    def image_id(self, image: str) -> str:
        """The image's content id.

        Raises:
            MachineError: it is not there, or the engine is not.
        """
        try:
            return str(self.client.api.inspect_image(image)["Id"])
        except NotFound as error:
            raise MachineError(f"the image {image} is missing; run `make images`") from error
        except (DockerException, OSError) as error:
            raise MachineError(f"the container engine does not answer: {error}") from error
