"""A right-to-left override makes yp.noitulos look like solution.py.

Stopped by intake: names are printable."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.tar"


def make(path, tmp_path):
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("\u202eyp.noitulos")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))


def test_the_intake_refuses(tmp_path):
    """With a sentence, and nothing is written."""
    path = tmp_path / "in" / NAME
    path.parent.mkdir()
    make(path, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SubmissionError, match="odd characters"):
        receive(path, 64)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_naive_intake_is_hurt(tmp_path):
    """The deceiving name is kept."""
    path, into = tmp_path / "in" / NAME, tmp_path / "out"
    path.parent.mkdir()
    into.mkdir()
    make(path, tmp_path)
    assert "\u202eyp.noitulos" in naive.unpack(path, into)
