"""Finds a container engine, or installs and starts one (Debian and Ubuntu, as root), or says how. Standard library only."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

START_S = 60.0
SOCKETS = (
    Path("/var/run/docker.sock"),
    Path(f"/run/user/{os.getuid()}/podman/podman.sock"),
    Path("/run/podman/podman.sock"),
)
BY_HAND = """No container engine answers, and this cannot be mended here ({why}).
  Debian/Ubuntu:  sudo apt-get install docker.io && sudo usermod -aG docker $USER   (then log in again)
  Fedora:         sudo dnf install podman && systemctl --user enable --now podman.socket
  another host:   export DOCKER_HOST=unix:///path/to/docker.sock
Then run the same command again."""


def say(words: str) -> None:
    """Progress, for people."""
    print(f"[engine] {words}", flush=True)  # a set-up script talks


def answers() -> bool:
    """Whether an engine's socket takes a connection."""
    if os.environ.get("DOCKER_HOST", "").startswith(("tcp:", "ssh:")):
        return True
    named = os.environ.get("DOCKER_HOST", "").removeprefix("unix://")
    for path in (Path(named),) if named else SOCKETS:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.settimeout(2)
                probe.connect(str(path))
                probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                if b"OK" in probe.recv(4096):
                    return True
        except OSError:
            continue
    return False


def run(*command: str) -> bool:
    """Runs a command of the system; its output is shown only if it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    )  # fixed commands
    if done.returncode:
        say(f"{' '.join(command)} failed:\n{done.stdout[-800:]}{done.stderr[-800:]}")
    return done.returncode == 0


def install(*packages: str) -> bool:
    """Debian packages, as root."""
    return run("apt-get", "update", "-qq") and run(
        "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages
    )


def daemon() -> str | None:
    """The engine's program; it may lie where an ordinary PATH does not look."""
    return shutil.which("dockerd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")


def start(program: str) -> None:
    """By the service manager where one runs, else as a process of its own."""
    if Path("/run/systemd/system").exists() and run("systemctl", "start", "docker"):
        return
    log = Path("/var/log/dockerd.log")
    say(f"starting {program} (log: {log})")
    with log.open("ab") as out:
        subprocess.Popen(
            [program], stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )  # found on PATH above


def ensure() -> None:
    """Returns when an engine answers; exits with advice otherwise."""
    if answers():
        say("a container engine answers")
        return
    root = os.getuid() == 0
    if locked := [path for path in SOCKETS if path.exists() and not os.access(path, os.W_OK)]:
        sys.exit(BY_HAND.format(why=f"{locked[0]} is there, and this user may not speak to it"))
    if daemon() is None:
        if not (root and shutil.which("apt-get")):
            sys.exit(
                BY_HAND.format(
                    why="this user may not install packages" if shutil.which("apt-get") else "not a Debian system"
                )
            )
        say("no engine found: installing Debian's docker.io (about 15 s)")
        if not install("docker.io", "iptables"):
            sys.exit(BY_HAND.format(why="apt-get failed, see above"))
    program = daemon()
    if program is None or not root:
        sys.exit(BY_HAND.format(why="the engine does not run and this user may not start it"))
    start(program)
    until = time.monotonic() + START_S
    while not answers():
        if time.monotonic() > until:
            sys.exit(BY_HAND.format(why="the engine was started and does not answer; see /var/log/dockerd.log"))
        time.sleep(0.3)
    say("the engine is up")


if __name__ == "__main__":
    ensure()
