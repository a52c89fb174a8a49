"""Builds the images once, by content: `python images/build.py [--force] [grader] [student] [hub] [gpu]`.

An image's tag is the hash of its recipe and its packages, set only after its self-test passed; `:current` follows it. Debian's
packages are those of the day of the first build: `--force` (`make images FORCE=1`) takes today's, its security updates among them.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import engine
import wheels
from docker.errors import APIError, ImageNotFound

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DEBIAN = "debian:bookworm-slim"
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


def ensure_debian(client: docker.DockerClient, *, anew: bool = False) -> None:
    """Pulls the base, or makes it from Debian's packages."""
    if exists(client, DEBIAN) and not anew:
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


def proxies() -> dict[str, str]:
    """Those of this shell, which the engine does not know: `apt-get` in a build needs them as pip and npm out here do."""
    names = [n for name in ("http_proxy", "https_proxy", "no_proxy") for n in (name, name.upper())]
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def build(
    client: docker.DockerClient,
    tag: str,
    files: dict[str, Path | bytes],
    arguments: dict[str, str],
    *,
    anew: bool = False,
) -> None:
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
            buildargs=arguments | proxies(),
            nocache=anew,
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
            tmpfs={"/work": "rw,exec,size=256m,mode=1777", "/tmp": "rw,exec,size=64m,mode=1777"},  # noqa: S108  # inside
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


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image over the base.

    Attributes:
        own: whether this project's wheel goes in.
        proxy: whether configurable-http-proxy goes in.
    """

    name: str
    own: bool = False
    proxy: bool = False

    @property
    def folder(self) -> Path:
        """Dockerfile, self-test and, under `files/`, what is copied onto the root."""
        return HERE / self.name

    @property
    def lock(self) -> Path:
        """Its packages."""
        return HERE / "locks" / f"{self.name}.txt"

    def files(self) -> dict[str, bytes]:
        """Small files of the build context."""
        return {
            p.relative_to(self.folder).as_posix(): p.read_bytes()
            for p in sorted(self.folder.rglob("*"))
            if p.is_file() and "__pycache__" not in p.parts
        }

    def hashed(self, base_hash: str) -> str:
        """The tag: base, packages, recipe and, where it goes in, our own code."""
        small = self.files()
        if not self.own and set(small) == {"Dockerfile", "selftest.py"}:
            parts = [self.lock.read_bytes(), small["Dockerfile"], small["selftest.py"]]
        else:
            parts = [self.lock.read_bytes(), wheels.digest(small)]
        if self.own:
            parts.append(wheels.digest(wheels.own_sources(ROOT)))
        return content_hash(base_hash.encode(), *parts)


RECIPES = {
    r.name: r
    for r in (Recipe("grader"), Recipe("student", own=True), Recipe("hub", own=True, proxy=True), Recipe("gpu"))
}


def make(client: docker.DockerClient, recipe: Recipe, base: str, base_hash: str, *, force: bool) -> None:
    """One image: built, tested, published; or found and named current."""
    name, hashed = f"autograder-{recipe.name}", recipe.hashed(base_hash)
    if not force and exists(client, f"{name}:{hashed}"):
        client.images.get(f"{name}:{hashed}").tag(name, "current")
        say(f"{name}:{hashed} is current")
        return
    wanted = wheels.requirements(recipe.lock)
    say(f"downloading {len(wanted)} wheels into {wheels.WHEELS.name}/ (kept for the next time)")
    wheels.download(wanted, "3.11")
    with tempfile.TemporaryDirectory() as folder:
        files: dict[str, Path | bytes] = {"requirements.txt": recipe.lock.read_bytes(), **wheels.named(wanted)}
        files |= recipe.files()
        if recipe.own:
            wheel = wheels.own(ROOT, Path(folder))
            files[f"own/{wheel.name}"] = wheel
        if recipe.proxy:
            # `python -m hub.proxy` found or installed it beside this interpreter
            subprocess.run([sys.executable, "-m", "hub.proxy"], cwd=ROOT, check=True)  # fixed command
            files["chp"] = Path(sys.prefix) / "lib" / "chp"
        build(client, f"{name}:candidate", files, {"BASE": base}, anew=force)
    self_test(client, f"{name}:candidate", recipe.folder / "selftest.py")
    publish(client, name, hashed, f"{name}:candidate")
    say(f"{name}:{hashed} is current")


def main() -> None:
    """Base, then what was asked for (the grader if nothing); nothing is built twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="*", default=["grader"], metavar="IMAGE", help=", ".join(RECIPES))
    parser.add_argument("--force", action="store_true", help="build again, with today's Debian packages")
    chosen = parser.parse_args()
    if unknown := set(chosen.images) - set(RECIPES):
        parser.error(f"no such image: {', '.join(sorted(unknown))}; there are {', '.join(RECIPES)}")
    engine.ensure()
    client = docker.from_env(timeout=1800)
    dockerfile = (HERE / "base" / "Dockerfile").read_bytes()
    base_hash = content_hash(dockerfile)
    base = f"autograder-base:{base_hash}"
    if chosen.force or not exists(client, base):
        ensure_debian(client, anew=chosen.force)
        build(client, base, {"Dockerfile": dockerfile}, {}, anew=chosen.force)
    for name in chosen.images:
        make(client, RECIPES[name], base, base_hash, force=chosen.force)


if __name__ == "__main__":
    main()
