"""Files of a few hundred bytes that would hold the service's interpreter for minutes, or fill its memory.

Stopped by intake: declarations have single spaces and few characters, lines few dots, extended headers few bytes, and exported
cells and brackets are counted before any parser sees them."""

import gzip
import io
import json
import tarfile
import time
import zipfile

import pytest

from autograder.api import SubmissionError, receive_bytes
from autograder.course.project import read_project_bytes

from . import naive

PROJECT = 'title=""\nabstract=""\nteam=[]\nclaims=[]\n[functions.f]\narguments=["%s"]\nreturns=[]\n'


def project(words):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.toml", words)
    return whole.getvalue()


def header(digits):
    """A tar of one extended header that is digits alone."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, digits
    body = b"1" * digits + b"\0" * (-digits % 512)
    return gzip.compress(entry.tobuf(tarfile.USTAR_FORMAT) + body + b"\0" * 1024)


def chain(headers):
    """Extended headers one behind another: each is read by a call within the last one's."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 12
    return gzip.compress((entry.tobuf(tarfile.USTAR_FORMAT) + b"12 path=abc\n" + b"\0" * 500) * headers + b"\0" * 1024)


def notebook(source, **more):
    cell = {"cell_type": "code", "source": source, "metadata": {"tags": ["export"]}, "outputs": [], "id": "a", **more}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()


PROJECTS = {
    "spaces": PROJECT % ("a:" + " " * 100_000 + "=x y"),
    "spaces-behind": PROJECT % ("a: f8" + " " * 100_000 + "!"),
    "axis": PROJECT % ("a: f8[b" + " " * 100_000 + "!]"),
    "offset": PROJECT % ("a: f8[n+" + "1" * 5000 + "]"),
    "dots": ".".join("a" * 60_000) + "=1",
}
HANDED_IN = {
    "header.tar.gz": header(1 << 20),
    "chain.tar.gz": chain(3000),
    "cells.ipynb": notebook("x;" * 2_000_000),
    "brackets.ipynb": b'{"nbformat": 4, "cells": [' + b"[]," * 2_000_000 + b"[]]}",
    "half.ipynb": notebook("x = '\ud800'"),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", PROJECTS)
def test_a_project_is_refused_at_once(kind):
    """With a sentence."""
    begun = time.perf_counter()
    with pytest.raises(SubmissionError):
        read_project_bytes("p.zip", project(PROJECTS[kind]))
    assert time.perf_counter() - begun < 2


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HANDED_IN)
def test_an_assignment_is_refused_at_once(name):
    """With a sentence."""
    begun = time.perf_counter()
    with pytest.raises(SubmissionError):
        receive_bytes(name, HANDED_IN[name], 64)
    assert time.perf_counter() - begun < 2


def test_a_naive_intake_is_hurt():
    """Twice the spaces take five times as long and more."""

    def seconds(spaces):
        begun = time.perf_counter()
        naive.declaration("a:" + " " * spaces + "=x y")
        return time.perf_counter() - begun

    assert seconds(300) > 4 * seconds(150)
