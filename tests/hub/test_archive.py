"""Archives are deterministic, and nothing but plain files comes out of them."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from hub.nbgrader_plugins.archive import ArchiveError, contents, pack, unpack, without_outputs

from .conftest import notebook


def crafted(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """An archive with one odd entry."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, link
        tar.addfile(entry)
    return gzip.compress(whole.getvalue())


def test_the_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    """Times and the order of creation do not matter."""
    for name, order in (("one", ("a", "b")), ("two", ("b", "a"))):
        (tmp_path / name).mkdir()
        for file in order:
            (tmp_path / name / file).write_text(file)
            os.utime(tmp_path / name / file, (len(name), 7))
    assert pack(tmp_path / "one") == pack(tmp_path / "two")


def test_what_was_packed_comes_back(tmp_path: Path) -> None:
    """Names and bytes survive; links, caches and fetched feedback stay behind."""
    folder = tmp_path / "folder"
    for name in ("x.ipynb", "data/y.txt", "feedback/then/x.html", ".ipynb_checkpoints/x.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to("/etc/passwd")
    unpack(pack(folder), tmp_path / "out")
    assert contents(pack(tmp_path / "out")) == {"data/y.txt": b"data/y.txt", "x.ipynb": b"x.ipynb"}


@pytest.mark.parametrize(
    "raw",
    [
        crafted("../outside"),
        crafted("/etc/cron.d/x"),
        crafted("a/../../b"),
        crafted("link", tarfile.SYMTYPE, "/etc/passwd"),
        crafted("hard", tarfile.LNKTYPE, "other"),
        crafted("device", tarfile.CHRTYPE),
        crafted("back\\slash"),
        crafted("line\nbreak"),
        b"no archive",
        gzip.compress(b"no tar" * 200),
    ],
    ids=[
        "climbs",
        "absolute",
        "climbs within",
        "symbolic link",
        "hard link",
        "device",
        "back slash",
        "line break",
        "no archive",
        "no tar",
    ],
)
def test_odd_archives_are_refused(raw: bytes, tmp_path: Path) -> None:
    """Nothing is written outside the target, and no link or device is made."""
    with pytest.raises(ArchiveError):
        unpack(raw, tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """A link that lies in the target already leads nowhere."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "d").mkdir()
    (tmp_path / "in" / "d" / "f").write_text("x")
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "d").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArchiveError):
        unpack(pack(tmp_path / "in"), tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_outputs_do_not_travel() -> None:
    """Running a notebook again does not make another submission of it; what is no notebook stays as it is."""
    raw = notebook("x = 1").encode()
    assert b"A PLOT" in raw and b"A PLOT" not in without_outputs(raw)
    assert without_outputs(without_outputs(raw)) == without_outputs(raw)
    assert without_outputs(b"not json") == b"not json"
