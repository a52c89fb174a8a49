"""Two entries of one name: what is shown to a person is not what runs.

Stopped by intake: two files of a name are refused."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.tar"


def make(path, tmp_path):
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("solution.py")
        info.size = 6
        archive.addfile(info, io.BytesIO(b"x = 1\n"))
        info = tarfile.TarInfo("solution.py")
        info.size = 6
        archive.addfile(info, io.BytesIO(b"x = 2\n"))


def test_the_intake_refuses(tmp_path):
    """With a sentence, and nothing is written."""
    path = tmp_path / "in" / NAME
    path.parent.mkdir()
    make(path, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SubmissionError, match="two files"):
        receive(path, 64)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_naive_intake_is_hurt(tmp_path):
    """The second silently replaces the first."""
    path, into = tmp_path / "in" / NAME, tmp_path / "out"
    path.parent.mkdir()
    into.mkdir()
    make(path, tmp_path)
    assert naive.unpack(path, into) == {"solution.py": b"x = 2\n"}
