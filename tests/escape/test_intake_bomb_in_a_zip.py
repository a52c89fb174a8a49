"""Thirty-two megabytes of zeros in thirty kilobytes.

Stopped by intake: sizes are counted while unpacking, in memory, up to the limit."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.zip"


def make(path, tmp_path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("solution.py", bytes(32 << 20))


def test_the_intake_refuses(tmp_path):
    """With a sentence, and nothing is written."""
    path = tmp_path / "in" / NAME
    path.parent.mkdir()
    make(path, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SubmissionError, match="KiB"):
        receive(path, 64)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_naive_intake_is_hurt(tmp_path):
    """The disk fills a thousandfold."""
    path, into = tmp_path / "in" / NAME, tmp_path / "out"
    path.parent.mkdir()
    into.mkdir()
    make(path, tmp_path)
    naive.unpack(path, into)
    assert (into / "solution.py").stat().st_size > 500 * path.stat().st_size
