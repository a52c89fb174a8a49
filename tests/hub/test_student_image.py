"""The image that students work in holds nothing that they must not read."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import docker
import pytest

from .work import COURSE, REPOSITORY

pytestmark = [pytest.mark.hub, pytest.mark.slow]
IMAGE = "autograder-student:current"


class Stream:
    """Chunks of the engine's export, as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.left = chunks, b""

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        while len(self.left) < size and (more := next(self.chunks, b"")):
            self.left += more
        found, self.left = self.left[:size], self.left[size:]
        return found


def secret_files() -> list[Path]:
    """What only staff may read."""
    found = [p for p in (REPOSITORY / "reference").glob("*.py") if p.stat().st_size > 200]
    for pattern in ("*/test_hidden.py", "*/solutions/*", "*/mutants/*.py", "*/*.ipynb", "*/assignment.toml"):
        found += [p for p in COURSE.glob(pattern) if p.is_file()]
    return found


def telling_lines(path: Path) -> set[bytes]:
    """Long lines of a file, which nobody else would write."""
    return {line.strip() for line in path.read_bytes().splitlines() if len(line.strip()) > 60 and b"import" not in line}


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # docker's sockets
def test_no_secret_is_in_the_student_image() -> None:
    """Neither a secret file nor a telling line of one is in any file of the image."""
    digests = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in secret_files()}
    lines = {line: p for p in secret_files() if p.name == "test_hidden.py" for line in telling_lines(p)}
    assert len(digests) > 20 and len(lines) > 20
    client = docker.from_env(timeout=600)
    container = client.containers.create(IMAGE)
    seen = 0
    try:
        stream = cast(IO[bytes], Stream(container.export(chunk_size=1 << 20)))
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for entry in tar:
                if not entry.isreg() or not entry.name.startswith(
                    ("opt/", "home/", "srv/", "root/", "usr/local/", "tmp/")
                ):
                    continue
                file = tar.extractfile(entry)
                content = file.read() if file is not None else b""
                seen += 1
                assert hashlib.sha256(content).hexdigest() not in digests, entry.name
                if entry.size < 1 << 20 and entry.name.endswith((".py", ".ipynb", ".toml", ".json", ".txt", ".md")):
                    for line in content.splitlines():
                        assert line.strip() not in lines, entry.name
    finally:
        container.remove(force=True)
        client.close()
    assert seen > 5000
