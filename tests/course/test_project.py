"""A team's project.toml: read, or refused with file, key and reason."""

import io
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from autograder.course.programme import load_programme
from autograder.course.project import read_project
from autograder.domain.assignment import Kind
from autograder.errors import CourseError, SubmissionError

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


def test_an_archive_is_the_same_project(folder):
    """Of the same name."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, path.name)
    packed = folder.parent / "my-project.tar.gz"
    packed.write_bytes(raw.getvalue())
    one, two = read_project(folder)[0], read_project(packed)[0]
    assert (one.slug, one.claims) == (two.slug, two.claims)


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


@pytest.mark.parametrize("name", ["solution.py", "adapter.py"])
def test_names_that_the_sandbox_needs_are_refused(folder, name):
    """One would be overwritten, the other would be taken for the course's."""
    (folder / name).write_text("x = 1\n")
    with pytest.raises(SubmissionError, match=name):
        read_project(folder)


def test_only_a_pdf_is_published(folder):
    """By its content, not by its name."""
    edited(folder, 'code = "https://github.com/SciML/SciMLBook"', 'paper = "paper.pdf"')
    (folder / "paper.pdf").write_bytes(b"<html><script>")
    with pytest.raises(SubmissionError, match=r"paper\.pdf is no PDF"):
        read_project(folder)
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7\n")
    assert read_project(folder)[0].links == {"paper": "paper.pdf"}


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


@pytest.mark.parametrize("line", ["minutes = 0", 'timezone = "Mars/Olympus"'])
def test_an_impossible_day_is_refused(tmp_path, line):
    """Neither talks without length nor zones that nobody lives in."""
    key = line.partition(" ")[0]
    path = tmp_path / "showcase.toml"
    path.write_text(re.sub(rf"(?m)^{key} = .*$", line, DAY))
    with pytest.raises(CourseError, match=key):
        load_programme(path, ["a"])
