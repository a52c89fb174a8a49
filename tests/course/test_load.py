"""`assignment.toml`: what is right is read, what is wrong is refused with file and key."""

import shutil

import pytest

from autograder.api import CourseError, load
from autograder.domain.assignment import Role


def edited(basic, tmp_path, old, new):
    """A copy of the test assignment with one text replaced."""
    folder = tmp_path / "t_basic"
    shutil.copytree(basic.folder, folder)
    path = folder / "assignment.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return folder


def test_a_folder_is_read(basic):
    """Signatures, criteria, tiers and points arrive as values."""
    assert basic.max_score == 90
    assert [c.id for c in basic.criteria] == ["examples", "formula", "in-place", "callback", "speed"]
    assert basic.function("work").signature == "work(x: f8[n], steps: int) -> f8[n]"
    assert basic.function("fill").arguments[0].role is Role.OUT
    assert basic.function("fill").arguments[1].default == 0.5
    assert basic.criteria[-1].tiers[1].threshold == 0.6


WRONG = [
    ('title = "The test', 'titel = "The test', "titel", "unknown key"),
    ("cores = 1", 'cores = "1"', "resources.cores", "must be int"),
    ("cores = 1", "cores = true", "resources.cores", "must be int"),
    ("memory_mb = 256", "memory_mb = -1", "resources.memory_mb", "positive"),
    ('"x: f8[n]"', '"x f8[n]"', "functions.work.arguments", "not of the form"),
    ('"x: f8[n]"', '"x: g8[n]"', "functions.work.arguments", "no type"),
    ('"x: f8[n]"', '"x: f8[n*2]"', "functions.work.arguments", "no axis"),
    ('returns = ["f8[n]"]', "returns = []", "functions.work.returns", "must return"),
    ('id = "formula"', 'id = "examples"', "criteria[1].id", "used twice"),
    ('kind = "serial"', 'kind = "quantum"', "kind", "must be one of"),
    (
        'visibility = "hidden"\nhint = "Compare',
        'visibility = "hidden"\nhnit = "Compare',
        "criteria[1].hnit",
        "unknown key",
    ),
    ("points = 30\nvis", "vis", "criteria[1].points", "is missing"),
    ('kind = "speedup"', 'kind = "correctness"', "tiers", "has none"),
    ("threshold = 0.2", "threshold = -0.2", "tiers", "positive"),
    ('control = "numpy_loop.py"', 'control = "../solution.py"', "criteria[4].control", "a file in solutions/"),
    ("points = 30\nvis", 'points = 30\ncontrol = "a.py"\nvis', "criteria[1].control", "of a timed criterion"),
    ("points = 10 }, {", "marks = 10 }, {", "tiers", "unknown key"),
    ("points = 30\nvis", "points = -5\nvis", "criteria[1].points", "from 0"),
    ("points = 30\nvis", "points = nan\nvis", "criteria[1].points", "from 0"),
    ("points = 10 }, {", "points = nan }, {", "tiers", "not be negative"),
    ('kind = "speedup"', 'kind = "speedup"\nworkers = 0', "criteria[4].workers", "positive"),
    ('kind = "speedup"', 'kind = "speedup"\ncalibrated = nan', "criteria[4].workers", "positive"),
    ('"a: float", "b: float"', '"a: float", "a: float"', "functions.midpoint.arguments", "the same name"),
    ("callback integrand", "callback integrnad", "functions.midpoint.arguments", "not declared"),
    ('title = "The test', "title = The test", "assignment.toml", "not TOML"),
]


@pytest.mark.parametrize("old,new,key,problem", WRONG)
def test_a_mistake_is_named(basic, tmp_path, old, new, key, problem):
    """The error names the file, the key and what is wrong."""
    folder = edited(basic, tmp_path, old, new)
    with pytest.raises(CourseError) as caught:
        load(folder)
    assert "assignment.toml" in str(caught.value)
    assert key in str(caught.value)
    assert problem in str(caught.value)


def test_a_missing_folder_is_a_sentence(tmp_path):
    """No traceback, and the next step."""
    with pytest.raises(CourseError, match="cannot be read"):
        load(tmp_path)
