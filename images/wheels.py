"""Wheels for the images: those that a lock names, downloaded by the host's pip, and this project's own."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
WHEELS = HERE.parent / ".wheelhouse"
SOURCE_ONLY = {"onetimepass"}  # pure Python that was published without a wheel: one is built here
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"


def requirements(lock: Path) -> list[str]:
    """The lines of a lock that name a package."""
    return [line for line in lock.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def download(wanted: list[str], python: str) -> None:
    """Downloads wheels that are not there yet."""
    WHEELS.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(WHEELS)]
    pip += ["--only-binary=:all:", f"--python-version={python}"]
    torch = [r for r in wanted if r.startswith("torch==") and "+cpu" in r]
    source = [r for r in wanted if _name(r.split("==")[0]) in SOURCE_ONLY]
    _quietly([*pip, *(r for r in wanted if r not in (*torch, *source))])
    for package in source:
        _quietly([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(WHEELS), package])
    for wheel in torch:
        # PyPI's own torch is a CUDA build of gigabytes: take +cpu from the configured places, else from PyTorch's index
        found = subprocess.run([*pip, wheel], capture_output=True, check=False)  # fixed command
        if found.returncode:
            subprocess.run([*pip, "--index-url", TORCH_INDEX, wheel], check=True)  # fixed command


def _quietly(command: list[str]) -> None:
    """Runs pip; what it says is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # fixed command
    if done.returncode:
        sys.exit("\n".join(line for line in done.stderr.splitlines() if "Location" not in line)[-3000:])


def named(wanted: list[str]) -> dict[str, Path]:
    """Of what was downloaded, the wheels of these requirements: path in the build context → file."""
    pinned = (re.split("={2,3}", r.split(";")[0]) for r in wanted)
    versions = {_name(name): version.strip() for name, version in pinned}
    found = {}
    for wheel in sorted(WHEELS.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        if versions.get(_name(name)) == version:  # a build for CPUs and one for CUDA differ in the local version alone
            found[f"wheelhouse/{wheel.name}"] = wheel
    return found


def own_sources(root: Path) -> dict[str, bytes]:
    """Everything that goes into this project's wheel: relative name → content."""
    files = [root / "pyproject.toml", root / "README.md", root / "LICENSE"]
    for package in ("autograder", "hub"):
        files += [p for p in (root / package).rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(files)}


def own(root: Path, target: Path) -> Path:
    """Builds this project's wheel.

    Returns:
        The file.
    """
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-cache-dir", "-w", str(target), str(root)]
    _quietly(pip)
    return next(target.glob("autograder-*.whl"))


def digest(files: dict[str, bytes]) -> bytes:
    """One value for many files."""
    whole = hashlib.sha256()
    for name, content in sorted(files.items()):
        for part in (name.encode(), content):
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
