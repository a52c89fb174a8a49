"""solution.py is another name of a file of the grader.

Stopped by intake: regular files only."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.tar"


def make(path, tmp_path):
    with tarfile.open(path, "w") as archive:
        (tmp_path / "secret").write_text("the key")
        info = tarfile.TarInfo("solution.py")
        info.type, info.linkname = tarfile.LNKTYPE, str(tmp_path / "secret")
        archive.addfile(info)


def test_the_intake_refuses(tmp_path):
    """With a sentence, and nothing is written."""
    path = tmp_path / "in" / NAME
    path.parent.mkdir()
    make(path, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SubmissionError, match="not a regular file"):
        receive(path, 64)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_naive_intake_is_hurt(tmp_path):
    """The secret gets a second name among the student's files."""
    path, into = tmp_path / "in" / NAME, tmp_path / "out"
    path.parent.mkdir()
    into.mkdir()
    make(path, tmp_path)
    naive.unpack(path, into)
    assert (into / "solution.py").stat().st_ino == (tmp_path / "secret").stat().st_ino
