"""A link by mode bits in a zip.

Stopped by intake: regular files only."""

import io
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, receive

from . import naive

NAME = "s.zip"


def make(path, tmp_path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        (tmp_path / "secret").write_text("the key")
        link = zipfile.ZipInfo("solution.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(tmp_path / "secret"))


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
    """The secret is handed out."""
    path, into = tmp_path / "in" / NAME, tmp_path / "out"
    path.parent.mkdir()
    into.mkdir()
    make(path, tmp_path)
    assert naive.unpack(path, into) == {"solution.py": b"the key"}
