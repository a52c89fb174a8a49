"""The same in a zip.

Stopped by intake: names are plain and relative."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.zip"


def make(path, tmp_path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../evil.py", "x")


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
    assert (tmp_path / "evil.py").is_file()
