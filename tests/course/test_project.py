"""A team's project.toml: read, or refused with file, key and reason."""

import io
import math
import random
import re
import shutil
import tarfile
import tomllib
from pathlib import Path

import pytest

from autograder.course.load import all_folders, exercise, load, project_folders
from autograder.course.programme import load_programme
from autograder.course.project import read_project, read_table, slug_of
from autograder.domain.assignment import Kind
from autograder.errors import CourseError, SubmissionError
from tests.conftest import FIXTURES

EXAMPLE = Path(__file__).resolve().parents[2] / "assignments" / "final_project" / "example"


@pytest.fixture
def folder(tmp_path):
    """A copy of the example that may be spoilt."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "My Project"))


def edited(folder, old, new):
    """With other words in its file."""
    path = folder / "project.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def test_the_example_is_read(folder):
    """Title, team, claims; a name without consent is not among those that are published."""
    project, files = read_project(folder)
    assert project.slug == "my-project" and set(files) == {"project.toml", "baseline.py", "fused.py", "threads.py"}
    assert project.named == ("Ada Example",) and len(project.team) == 2
    fused, threads = project.claims
    assert fused.inputs["u"].shape == (512, 512) and fused.inputs["feed"].how == "constant"
    assert threads.kind is Kind.THREADS and threads.resources.cores == 2 and threads.baseline == "fused.py"


@pytest.mark.parametrize("inside", ["", "My Project/"])
def test_an_archive_is_the_same_project(folder, inside):
    """Of the same name; whether the folder was packed, or what is in it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, inside + path.name)
    packed = folder.parent / "my-project.tar.gz"
    packed.write_bytes(raw.getvalue())
    one, two = read_project(folder)[0], read_project(packed)[0]
    assert (one.slug, one.claims) == (two.slug, two.claims)
    assert read_project(folder)[1] == read_project(packed)[1]


REFUSED = {
    "an unknown key": ("abstract =", "abstrakt =", "abstrakt"),
    "no TOML": ("title = ", "title = = ", "is not TOML"),
    "control characters": ('title = "Spots', r'title = "\u001b[31mSpots', "title"),
    "a script for a link": ("https://github.com", "javascript:alert(1)//", "links.code"),
    "a plain http link": ("https://github.com", "http://github.com", "links.code"),
    "a link with markup": ("SciMLBook", 'SciML\\"><script>', "links.code"),
    "a PDF that is not there": ("https://github.com/SciML/SciMLBook", "paper.pdf", "links.code"),
    "a program that is not there": ('program = "fused.py"', 'program = "fast.py"', "claims[0].program"),
    "a program outside": ('program = "fused.py"', 'program = "../fused.py"', "claims[0].program"),
    "an unknown function": ('function = "react"', 'function = "reacts"', "claims[0].function"),
    "a claim that is no number": ("speedup = 20.0", "speedup = nan", "claims[0].speedup"),
    "any tolerance": ("rtol = 1e-12", "rtol = 1.0", "claims[0].rtol"),
    "a world of ranks": ('kind = "threads"', 'kind = "mpi"', "claims[1].kind"),
    "more memory than there is": ("cores = 2", "cores = 2\nmemory_mb = 999999", "claims[1].memory_mb"),
    "an argument without an input": ("steps = 20\n", "", "claims[0].inputs.steps"),
    "an input without an argument": ("steps = 20\n", "steps = 20\nwidth = 3\n", "claims[0].inputs.width"),
    "half a step": ("steps = 20\n", "steps = 2.5\n", "claims[0].inputs.steps"),
    "an axis too few": ("shape = [512, 512]", "shape = [512]", "claims[0].inputs.u.shape"),
    "a negative axis": ("shape = [512, 512]", "shape = [512, -1]", "claims[0].inputs.u.shape"),
    "more than memory holds": ("shape = [512, 512]", "shape = [51200, 51200]", "claims[0].inputs"),
    "an odd distribution": ('draw = "uniform"', 'draw = "cauchy"', "claims[0].inputs.u.draw"),
    "bounds the wrong way round": ("low = 0.4", "low = 4.0", "claims[0].inputs.u"),
    "a number beyond all others": ("low = 0.4", f"low = -1{'0' * 400}", "claims[0].inputs.u"),
    "a number of five thousand digits": ("low = 0.4", f"low = -1{'0' * 5000}", "is not TOML"),
    "a distribution that is a list": ('draw = "uniform"', "draw = []", "claims[0].inputs.u.draw"),
    "a negative spread": (
        'draw = "uniform", low = 0.4, high = 1.0',
        'draw = "normal", mean = 0.4, sd = -1.0',
        "claims[0].inputs.u",
    ),
    "axes that differ": ("shape = [512, 512]", "shape = [512, 511]", "claims[0].inputs: the axis nx"),
    "results that no memory holds": (
        '["f8[ny,nx]", "f8[ny,nx]"]',
        '["f8[steps,steps,ny,nx]", "f8[ny,nx]"]',
        "claims[0].inputs: and results",
    ),
    "a result of unknown length": ('["f8[ny,nx]", "f8[ny,nx]"]', '["f8[m]"]', "claims[0].inputs: no argument"),
    "a private function": ("[functions.react]", "[functions._call]", "functions._call"),
    "a callback": ('"steps: int"]', '"steps: int", "f: callback g"]', "functions.react.arguments"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_measured_is_refused(folder, why):
    """The error names the key."""
    old, new, key = REFUSED[why]
    with pytest.raises(SubmissionError, match=re.escape(key)):
        read_project(edited(folder, old, new))


def test_inputs_that_repeat_themselves_are_refused(folder):
    """A program could remember its answers, and be as fast as it likes; a seed among millions is fresh enough."""
    text = (folder / "project.toml").read_text(encoding="utf-8")
    drawn = re.compile(r'\{ draw = "uniform", low = [\d.]+, high = [\d.]+, (shape = \[512, 512\]) \}')
    still = drawn.sub(r'{ draw = "constant", value = 0.5, \1 }', text)
    for steps, fresh in (("20", False), ("{ draw = 'integers', low = 0, high = 9 }", False),
                         ("{ draw = 'integers', low = 0, high = 2_000_000 }", True)):  # fmt: skip
        (folder / "project.toml").write_text(still.replace("steps = 20", f"steps = {steps}", 1), encoding="utf-8")
        if fresh:
            assert read_project(folder)[0].claims[0].inputs["steps"].how == "integers"
            continue
        with pytest.raises(SubmissionError, match=r"claims\[0\].inputs: repeat themselves"):
            read_project(folder)


@pytest.mark.parametrize(
    "drawn",
    ["'normal', mean = 1.0, sd = 0.0", "'normal', mean = 1.0, sd = 1e-30", "'uniform', low = 1.0, high = 1.0000001"],
)
def test_numbers_that_hardly_differ_are_no_fresh_ones(folder, drawn):
    """The same answer would do for all of them."""
    path = folder / "project.toml"
    text = re.sub(
        r"draw = \"uniform\", low = [\d.]+, high = [\d.]+", f"draw = {drawn}", path.read_text(encoding="utf-8")
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SubmissionError, match="repeat themselves"):
        read_project(folder)


@pytest.mark.parametrize(
    ("kind", "draw", "words"),
    [
        ("bool", "{ draw = 'integers', low = 0, high = 2_000_000 }", "from 0 to 1"),
        ("int", "2.5", "needs whole numbers"),
        ("u1[n]", "{ draw = 'integers', low = 0, high = 257, shape = [9] }", "from 0 to 255"),
        ("float", "{ draw = 'integers', low = 0, high = 1e19 }", "whole numbers from"),
        ("b1[n]", "{ draw = 'uniform', low = 0, high = 1, shape = [9] }", "from 0 to 1"),
    ],
)
def test_what_would_wrap_round_or_collapse_is_refused(folder, kind, draw, words):
    """A thousand integers that are all true are one value."""
    path = folder / "project.toml"
    text = path.read_text(encoding="utf-8").replace('"steps: int"]', f'"steps: int", "more: {kind}"]')
    path.write_text(text.replace("steps = 20", f"steps = 20\nmore = {draw}"), encoding="utf-8")
    with pytest.raises(SubmissionError, match=words):
        read_project(folder)


@pytest.mark.parametrize("name", ["solution.py", "adapter.py"])
def test_names_that_the_sandbox_needs_are_refused(folder, name):
    """One would be overwritten, the other would be taken for the course's."""
    (folder / name).write_text("x = 1\n")
    with pytest.raises(SubmissionError, match=name):
        read_project(folder)


def test_a_file_that_is_a_folder_too_is_refused(folder):
    """An archive can hold it, and no file system."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
        archive.add(folder / "fused.py", "fused.py/fused.py")
    (folder.parent / "p.tar.gz").write_bytes(raw.getvalue())
    with pytest.raises(SubmissionError, match="the same name"):
        read_project(folder.parent / "p.tar.gz")


def test_only_a_pdf_is_published(folder):
    """By its content, not by its name."""
    edited(folder, 'code = "https://github.com/SciML/SciMLBook"', 'paper = "paper.pdf"')
    (folder / "paper.pdf").write_bytes(b"<html><script>")
    with pytest.raises(SubmissionError, match=r"paper\.pdf is no PDF"):
        read_project(folder)
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7\n")
    assert read_project(folder)[0].links == {"paper": "paper.pdf"}


@pytest.mark.parametrize("name", ["index", "Index.v2", "___"])
def test_a_project_cannot_take_the_gallery_s_place(folder, name):
    """Pages are named by folders."""
    with pytest.raises(SubmissionError, match="not index"):
        read_project(folder.rename(folder.parent / name))


def test_a_folder_without_its_file_is_no_project(tmp_path):
    """And says what is missing."""
    (tmp_path / "p").mkdir()
    with pytest.raises(SubmissionError, match=r"there is no project\.toml"):
        read_project(tmp_path / "p")


DAY = 'title = "T"\ntimezone = "America/New_York"\ndate = 2026-12-15\nbegins = 13:00:00\nminutes = 12\n'


def test_talks_follow_one_another(tmp_path):
    """In the staff's order first, then by name; with pauses."""
    path = tmp_path / "showcase.toml"
    path.write_text(DAY + 'order = ["c"]\n[pauses]\nc = 15\n')
    talks = load_programme(path, ["a", "b", "c"]).talks
    assert [(slug, f"{at:%H:%M}") for slug, at in talks.items()] == [("c", "13:00"), ("a", "13:27"), ("b", "13:39")]
    assert talks["a"].utcoffset().total_seconds() == -5 * 3600


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ('order = ["z"]', "order"),
        ("[pauses]\nz = 3", "pauses"),
        ("places = 3", "places"),
        ("[pauses]\na = 'x'", "pauses.a"),
    ],
)
def test_a_programme_that_names_nobody_is_refused(tmp_path, more, key):
    """With file and key."""
    path = tmp_path / "showcase.toml"
    path.write_text(DAY + more + "\n")
    with pytest.raises(CourseError, match=re.escape(f"{path}: {key}")):
        load_programme(path, ["a"])


def test_a_team_that_changes_its_title_does_not_close_the_gallery(tmp_path):
    """Names of nobody are left out where teams may hand in again; pauses of theirs, too."""
    path = tmp_path / "showcase.toml"
    path.write_text(DAY + 'order = ["z", "b"]\n[pauses]\nz = 3\n')
    assert list(load_programme(path, ["a", "b"], strict=False).talks) == ["b", "a"]


@pytest.mark.parametrize("line", ["minutes = 0", 'timezone = "Mars/Olympus"'])
def test_an_impossible_day_is_refused(tmp_path, line):
    """Neither talks without length nor zones that nobody lives in."""
    key = line.partition(" ")[0]
    path = tmp_path / "showcase.toml"
    path.write_text(re.sub(rf"(?m)^{key} = .*$", line, DAY))
    with pytest.raises(CourseError, match=key):
        load_programme(path, ["a"])


ODD = (
    True, 0, -1, 2.5, math.nan, math.inf, 10**400, "", "x", "a" * 5000, [], [[]], [True], {}, {"draw": "uniform"}, {"draw": 1},
    "\u202e", "f8[n]", "f8[", "i8[-3]", ["x: f8[n]"], ["f8[n+9999999999]"],
)  # fmt: skip


def places(value, path=()):
    """Every key and index of nested tables and lists."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def test_whatever_stands_there_ends_in_a_project_or_in_a_refusal():
    """Three thousand spoilt files: never another error."""
    files = {p.name: p.read_bytes() for p in EXAMPLE.iterdir() if p.is_file()}
    chance, kept = random.Random(1), 0
    for _ in range(3000):
        table = tomllib.loads(files["project.toml"].decode())
        *path, last = chance.choice(list(places(table)))
        inner = table
        for key in path:
            inner = inner[key]
        if chance.random() < 0.2:
            del inner[last]
        else:
            inner[last] = chance.choice(ODD)
        try:
            kept += bool(read_table(table, files, "project.toml", "slug", "0").claims)
        except CourseError:
            continue
    assert 0 < kept < 1000


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("final", "points = 50", "points = 0", "points: must be above 0"),
        ("final", "cores = 2", "cores = 65", "cores: must be above 0, and 64 at most"),
        ("final", "cores = 2", 'cores = "2"', "cores: must be int"),
        ("final", "points = 50", "point = 50", "point: unknown key"),
        ("final", "points = 50", "", "points: is missing"),
        ("Final Project", "points = 50", "points = 50", "folder: 'Final Project' must be lower-case"),
    ],
)
def test_where_projects_are_handed_in_is_checked(tmp_path, name, old, new, words):
    """With file and key."""
    text = (FIXTURES / "assignments/t_project/handin.toml").read_text()
    assert old in text
    (tmp_path / name).mkdir()
    (tmp_path / name / "handin.toml").write_text(text.replace(old, new))
    with pytest.raises(CourseError) as found:
        load(tmp_path / name)
    assert words in str(found.value) and "handin.toml" in str(found.value)


def test_what_wants_an_exercise_says_that_this_is_none():
    """To whoever grades, releases or validates it; a folder of assignments does not list it."""
    folder = FIXTURES / "assignments" / "t_project"
    assert (
        load(folder).attainable == 50.0
        and folder in project_folders(folder.parent)
        and folder not in all_folders(folder.parent)
    )
    with pytest.raises(CourseError, match="autograder showcase"):
        exercise(str(folder))


def test_a_long_title_s_slug_ends_with_a_whole_word():
    """And one without a letter has none."""
    assert (
        slug_of("Spots and stripes: the Gray–Scott equations at the speed")
        == "spots-and-stripes-the-gray-scott-equations-at"
    )
    assert slug_of("x" * 90) == "x" * 48 and slug_of("…") == ""
