"""A name that begins at the root.

Stopped by intake: names are plain and relative."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.tar"


def make(path, tmp_path):
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo(str(tmp_path / "evil.py"))
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))


def test_the_intake_refuses(tmp_path):
    """With a sentence, and nothing is written."""
    path = tmp_path / "in" / NAME
    path.parent.mkdir()
    make(path, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SubmissionError, match="outside"):
        receive(path, 64)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_naive_intake_is_hurt(tmp_path):
    """A file appears where the student said."""
    path, into = tmp_path / "in" / NAME, tmp_path / "out"
    path.parent.mkdir()
    into.mkdir()
    make(path, tmp_path)
    naive.unpack(path, into)
    assert (tmp_path / "evil.py").is_file()
