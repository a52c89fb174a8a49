"""Intake: what is plain is read, what is not is refused, and nothing is ever written."""

import gzip
import io
import json
import os
import tarfile
import zipfile

import pytest

from autograder.api import SubmissionError, main_file, receive
from autograder.course.intake import clean


def tar_of(tmp_path, *entries, name="s.tar.gz"):
    """An archive of (TarInfo, bytes) pairs."""
    path = tmp_path / name
    with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tar:
        for info, content in entries:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def entry(name, content=b"x = 1\n", kind=tarfile.REGTYPE, link=""):
    """One entry."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, content


def test_a_file_a_folder_and_archives_are_read_alike(tmp_path):
    """The same bytes, whatever they are wrapped in."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "solution.py").write_bytes(b"x = 1\n")
    (tmp_path / "d" / "__pycache__").mkdir()
    (tmp_path / "d" / "__pycache__" / "x.pyc").write_bytes(b"no")
    (tmp_path / "mine.py").write_bytes(b"x = 1\n")
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("solution.py", "x = 1\n")
    tar = tar_of(tmp_path, entry("solution.py"))
    for path in (tmp_path / "d", tmp_path / "mine.py", tmp_path / "s.zip", tar):
        assert receive(path, 64).files == {"solution.py": b"x = 1\n"}


def test_a_scratch_notebook_beside_the_assignments_own_is_no_obstacle(tmp_path):
    """A folder that nbgrader hands in bears the assignment's name; under any other, nobody knows which of two is meant."""
    own = b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "# export\\nx = 1"}]}'
    both = (entry("a1.ipynb", own), entry("Untitled.ipynb", b'{"nbformat": 4, "cells": []}'))
    assert receive(tar_of(tmp_path, *both, name="a1.tar.gz"), 64).files["solution.py"] == b"# export\nx = 1\n"
    (tmp_path / "a1").mkdir()
    for info, content in both:
        (tmp_path / "a1" / info.name).write_bytes(content)
    assert receive(tmp_path / "a1", 64).files["solution.py"] == b"# export\nx = 1\n"
    with pytest.raises(SubmissionError, match="leave all notebooks but one out"):
        receive(tar_of(tmp_path, *both, name="mine.tar.gz"), 64)


def test_what_no_folder_could_hold_is_refused(tmp_path):
    """A file and a folder of one name, a name that file systems cut, a second notebook that nothing could show."""
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("solution.py", "x = 1\n")
    raw = bytearray(broken.getvalue())
    raw[45:60] = b"\xff" * 15
    (tmp_path / "lzma.zip").write_bytes(raw)
    many = b'{"nbformat": 4, "cells": [' + b",".join([b"{}"] * 3000) + b"]}"
    for path, words in (
        (tar_of(tmp_path, entry("solution.py"), entry("a"), entry("A/b"), name="1.tar"), "the same name"),
        (tar_of(tmp_path, entry("solution.py/x"), entry("solution.py"), name="2.tar"), "the same name"),
        (tar_of(tmp_path, entry("solution.py"), entry("é" * 150), name="3.tar"), "too long"),
        (tar_of(tmp_path, entry("solution.py"), entry("n.ipynb", many), name="4.tar"), "n.ipynb: .* 3000 cells"),
        (tmp_path / "lzma.zip", "cannot be read"),
    ):
        with pytest.raises(SubmissionError, match=words):
            receive(path, 64)


def test_a_folder_that_was_packed_as_a_whole_is_unpacked(tmp_path):
    """As most programs pack it; but nothing is moved where the main file is not in it, or something lies beside it."""
    files = {"solution.py": b"import more\n", "more.py": b"x = 1\n", "adapter.py": b"evil = 1\n"}
    whole = tar_of(tmp_path, *(entry(f"homework/{n}", content) for n, content in files.items()))
    assert receive(whole, 64).files == {n: content for n, content in files.items() if n != "adapter.py"}
    for names in (("a/solution.py", "b/more.py"), ("a/solution.py", "more.py"), ("a/b/solution.py", "a/more.py")):
        with pytest.raises(SubmissionError, match=r"no solution\.py"):
            receive(tar_of(tmp_path, *map(entry, names)), 64)


def test_what_lies_beside_the_main_file_of_a_packed_folder_stays_beside_it(tmp_path):
    """Whatever the main file is called: a notebook, the only module."""
    cell = {"cell_type": "code", "metadata": {"tags": ["export"]}, "source": "import helper"}
    raw = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
    for main, content in (("a02.ipynb", raw), ("mine.py", b"import helper\n")):
        helper = "data/table.txt" if main == "mine.py" else "helper.py"
        path = tmp_path / "a02.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"a02/{main}", content)
            archive.writestr(f"a02/{helper}", "x = 1\n")
        assert set(receive(path, 64).files) == {"solution.py", helper}


def test_the_assignments_notebook_is_graded_and_not_a_module_that_was_left_there(tmp_path):
    """Packed as a folder or as what is in it; without a notebook of that name, `solution.py` counts."""
    names = ["a02/solution.py", "a02/a02.ipynb", "a02/scratch.ipynb"]
    assert main_file(names, "a02") == "a02/a02.ipynb"
    assert main_file([n.removeprefix("a02/") for n in names], "a02") == "a02.ipynb"
    assert main_file(names, "elsewhere") == "a02/solution.py"
    assert main_file(["solution.py", "more.py"], "a02") == "solution.py" and main_file(["a.py", "b.py"], "a02") is None


def test_whatever_the_archive_is_called_the_assignment_says_which_notebook_it_is(tmp_path):
    """And where that is as it was handed out, the module beside it is what was worked on."""

    def written(source):
        cell = {"cell_type": "code", "metadata": {"tags": ["export"]}, "source": source}
        return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()

    done, stub = written("notebook = 1"), written("def f():\n    raise NotImplementedError  # your code here")
    for notebook, found in ((done, b"notebook = 1\n"), (stub, b"module = 1\n")):
        path = tmp_path / "homework (1).zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a02.ipynb", notebook)
            archive.writestr("solution.py", b"module = 1\n")
            archive.writestr("scratch.ipynb", written("scratch = 1"))
        assert receive(path, 64, "a02").files["solution.py"] == found


def test_the_digest_is_of_what_was_handed_in(tmp_path):
    """Same bytes, same digest; another byte, another digest."""
    a, b = tmp_path / "a.py", tmp_path / "b.py"
    a.write_bytes(b"x = 1\n")
    b.write_bytes(b"x = 2\n")
    assert receive(a, 64).sha256 == receive(a, 64).sha256 != receive(b, 64).sha256


REFUSED_TARS = {
    "a path that climbs": ([entry("../evil.py")], "outside"),
    "an absolute path": ([entry("/etc/cron.d/evil")], "outside"),
    "a path that climbs in the middle": ([entry("a/../../evil.py")], "outside"),
    "a symbolic link": ([entry("solution.py", b"", tarfile.SYMTYPE, "/etc/passwd")], "not a regular file"),
    "a hard link": ([entry("solution.py", b"", tarfile.LNKTYPE, "/etc/passwd")], "not a regular file"),
    "a device": ([entry("solution.py", b"", tarfile.CHRTYPE)], "not a regular file"),
    "a fifo": ([entry("solution.py", b"", tarfile.FIFOTYPE)], "not a regular file"),
    "a duplicate name": ([entry("solution.py"), entry("solution.py")], "two files"),
    "names that differ by case": ([entry("solution.py"), entry("Solution.py")], "two files"),
    "a control character": ([entry("solution\n.py")], "odd characters"),
    "an escape sequence": ([entry("\x1b[2Jsolution.py")], "odd characters"),
    "a right-to-left override": ([entry("\u202eyp.noitulos")], "odd characters"),
    "a backslash": ([entry("..\\evil.py")], "odd characters"),
    "a very long name": ([entry("a" * 300 + ".py")], "too long"),
    "too many files": ([entry(f"f{i}.py") for i in range(300)], "more than 200 files"),
    "too many entries": ([entry(f"d{i}", b"", tarfile.DIRTYPE) for i in range(2100)], "entries"),
    "too many bytes": ([entry("solution.py", b"#" * (70 << 10))], "KiB"),
    "no solution": ([entry("a.py"), entry("b.py")], "no solution.py"),
    "zero bytes in the source": ([entry("solution.py", b"x = 1\0")], "zero bytes"),
}


@pytest.mark.parametrize("name", REFUSED_TARS)
def test_an_archive_with_it_is_refused(name, tmp_path):
    """With a sentence, and without a trace outside."""
    entries, words = REFUSED_TARS[name]
    path = tar_of(tmp_path, *entries)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SubmissionError, match=words):
        receive(path, 64)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb_is_not_unpacked(tmp_path):
    """A gigabyte of zeros in a megabyte of gzip; the same in a zip; a size that lies."""
    path = tmp_path / "s.tar.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
    with pytest.raises(SubmissionError, match="KiB"):
        receive(path, 64)
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("solution.py", bytes(32 << 20))
    with pytest.raises(SubmissionError, match="KiB"):
        receive(path, 64)


def test_zip_links_encryption_and_rubbish_are_refused(tmp_path):
    """By mode bits, by flag, by not being an archive."""
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("solution.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(SubmissionError, match="not a regular file"):
        receive(path, 64)
    for name in ("r.zip", "r.tar", "r.tar.gz"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 rubbish" * 10)
        with pytest.raises(SubmissionError, match=r"cannot be read|no solution"):
            receive(tmp_path / name, 64)


def test_links_and_pipes_on_disk_are_not_followed(tmp_path):
    """A submission that is a link, a folder with a link, a pipe that would block for ever."""
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "solution.py").symlink_to("/etc/passwd")
    for path in (tmp_path / "link.py", tmp_path / "pipe.py", tmp_path / "d"):
        with pytest.raises(SubmissionError, match=r"link|regular"):
            receive(path, 64)


@pytest.mark.parametrize("name", ["x.exe", "x", "x.pyc"])
def test_other_kinds_of_files_are_refused(name, tmp_path):
    """With the list of what is accepted."""
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(SubmissionError, match="hand in"):
        receive(tmp_path / name, 64)


def test_large_files_are_refused_before_they_are_read(tmp_path):
    """A sparse gigabyte takes no time and no memory."""
    path = tmp_path / "s.ipynb"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(SubmissionError, match="larger than"):
        receive(path, 64)


def test_clean_keeps_plain_names_and_drops_caches():
    """What an honest student's folder holds."""
    assert clean("pkg/module.py") == "pkg/module.py"
    assert clean("__pycache__/x.pyc") is None
    assert clean("naïve.py") == "naïve.py"
