"""A name with .. that lands beside the folder where archives are unpacked.

Stopped by intake: names are plain and relative, nothing is unpacked to disk."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.tar"


def make(path, tmp_path):
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("../evil.py")
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
    """A file appears outside."""
    path, into = tmp_path / "in" / NAME, tmp_path / "out"
    path.parent.mkdir()
    into.mkdir()
    make(path, tmp_path)
    naive.unpack(path, into)
    assert (tmp_path / "evil.py").read_bytes() == b"x"
