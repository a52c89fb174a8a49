"""Builds the images once, by content: `python images/build.py [--force]`.

An image's tag is the hash of everything that goes into it, set only after its self-test passed; `:current` follows it.
Python packages are downloaded by the host's pip (with the host's mirrors and certificates) into `.wheelhouse/`, and the
build itself installs from there without an index. Where no registry answers, `debian:bookworm-slim` is made from
Debian's packages with mmdebstrap.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import engine
from docker.errors import APIError, ImageNotFound

HERE = Path(__file__).resolve().parent
WHEELS = HERE.parent / ".wheelhouse"
DEBIAN = "debian:bookworm-slim"
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
PULL_S = 90


def say(words: str) -> None:
    """Progress, for people."""
    print(f"[images] {words}", flush=True)  # a set-up script talks


def content_hash(*parts: bytes) -> str:
    """A tag for what goes into an image."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def exists(client: docker.DockerClient, tag: str) -> bool:
    """Whether the engine has that image."""
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def ensure_debian(client: docker.DockerClient) -> None:
    """Pulls the base, or makes it from Debian's packages."""
    if exists(client, DEBIAN):
        return
    say(f"pulling {DEBIAN}")
    try:
        client.images.pull(DEBIAN)
    except (APIError, OSError) as error:
        say(f"no registry answers ({str(error)[:120]}): making it from Debian's packages (about 20 s)")
    else:
        return
    if not shutil.which("mmdebstrap") and not (os.getuid() == 0 and engine.install("mmdebstrap")):
        sys.exit("[images] mmdebstrap is needed to make the base image: sudo apt-get install mmdebstrap")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "root.tar"
        if not engine.run("mmdebstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root)):
            sys.exit("[images] mmdebstrap failed, see above")
        client.api.import_image_from_file(str(root), repository="debian", tag="bookworm-slim")


def wheelhouse(requirements: list[str], python: str) -> None:
    """Downloads wheels that the lock names and that are not there yet."""
    WHEELS.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(WHEELS)]
    pip += ["--only-binary=:all:", f"--python-version={python}"]
    torch = [r for r in requirements if r.startswith("torch==")]
    say(f"downloading {len(requirements)} wheels into {WHEELS.name}/ (kept for the next time)")
    subprocess.run([*pip, *(r for r in requirements if r not in torch)], check=True)  # fixed command
    for wheel in torch:
        # PyPI's own torch is a CUDA build of gigabytes: take +cpu from the configured places, else from PyTorch's index
        found = subprocess.run([*pip, wheel], capture_output=True, check=False)  # fixed command
        if found.returncode:
            subprocess.run([*pip, "--index-url", TORCH_INDEX, wheel], check=True)  # fixed command


def context(files: dict[str, Path | bytes]) -> Any:
    """A build context as a tar file on disk (wheels are large)."""
    packed = tempfile.TemporaryFile()  # noqa: SIM115  # handed to the caller, gone when closed
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            if isinstance(content, Path):
                tar.add(content, name)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    packed.seek(0)
    return packed


def build(client: docker.DockerClient, tag: str, files: dict[str, Path | bytes], arguments: dict[str, str]) -> None:
    """One build; the engine's words are shown when it fails."""
    words: list[str] = []
    begun = time.monotonic()
    with context(files) as packed:
        lines: Iterator[bytes] = client.api.build(
            fileobj=packed,
            custom_context=True,
            tag=tag,
            rm=True,
            forcerm=True,
            buildargs=arguments,
            network_mode="host",
        )
        for line in b"".join(lines).splitlines():
            entry = json.loads(line)
            words.append(entry.get("stream", ""))
            if "error" in entry:
                sys.exit(f"[images] {tag} failed:\n{''.join(words)[-4000:]}{entry['error']}")
    say(f"built {tag} in {time.monotonic() - begun:.0f} s")


def self_test(client: docker.DockerClient, image: str, script: Path) -> None:
    """Runs the image's own test inside it, without a network, as nobody, on a read-only root."""
    begun = time.monotonic()
    try:
        client.containers.run(
            image,
            ["python", "/selftest.py"],
            volumes={str(script): {"bind": "/selftest.py", "mode": "ro"}},
            network_mode="none",
            user="65534:65534",
            read_only=True,
            tmpfs={"/work": "rw,exec,size=256m,mode=1777"},
            environment={"HOME": "/work", "TMPDIR": "/work", "MPIR_CVAR_CH4_CMA_ENABLE": "0"},
            shm_size="64m",
            remove=True,
            stderr=True,
        )
    except docker.errors.ContainerError as error:
        sys.exit(f"[images] self-test of {image} failed:\n{error.stderr.decode(errors='replace')[-3000:]}")
    say(f"self-test of {image} passed in {time.monotonic() - begun:.0f} s")


def publish(client: docker.DockerClient, name: str, hashed: str, candidate: str) -> None:
    """Tags what passed, and drops the candidate's name."""
    image = client.images.get(candidate)
    image.tag(name, hashed)
    image.tag(name, "current")
    client.images.remove(candidate, noprune=True)


def main() -> None:
    """Base, then grader; nothing is built twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="build again even where the content is unchanged")
    force = parser.parse_args().force
    engine.ensure()
    client = docker.from_env(timeout=1800)
    dockerfile = (HERE / "base" / "Dockerfile").read_bytes()
    base_hash = content_hash(dockerfile)
    base = f"autograder-base:{base_hash}"
    if force or not exists(client, base):
        ensure_debian(client)
        build(client, base, {"Dockerfile": dockerfile}, {})
    lock = (HERE / "locks" / "grader.txt").read_text(encoding="utf-8")
    grader, test = HERE / "grader" / "Dockerfile", HERE / "grader" / "selftest.py"
    hashed = content_hash(base_hash.encode(), lock.encode(), grader.read_bytes(), test.read_bytes())
    if force or not exists(client, f"autograder-grader:{hashed}"):
        requirements = [line for line in lock.splitlines() if line and not line.startswith("#")]
        wheelhouse(requirements, "3.11")
        files: dict[str, Path | bytes] = {
            "Dockerfile": grader.read_bytes(),
            "requirements.txt": lock.encode(),
            "wheelhouse": WHEELS,
        }
        build(client, "autograder-grader:candidate", files, {"BASE": base})
        self_test(client, "autograder-grader:candidate", test)
        publish(client, "autograder-grader", hashed, "autograder-grader:candidate")
    else:
        client.images.get(f"autograder-grader:{hashed}").tag("autograder-grader", "current")
    say(f"autograder-grader:{hashed} is current")


if __name__ == "__main__":
    main()
