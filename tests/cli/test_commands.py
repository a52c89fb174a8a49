"""Commands of the tour, as staff and students type them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.api import Ledger
from tests.crash.world import ROOT, World
from tests.ledger.conftest import fresh_postgres, postgres  # noqa: F401  # fixtures

TEMPLATE = "_template"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of nothing but the template."""
    for part in ("assignments/_template", "reference"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def autograder(folder: Path, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    """One command in a folder."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "AUTOGRADER_TERM": str(ROOT / "tests/fixtures/no_deadlines.toml")}
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=folder,
        env=env | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code and "Traceback" not in done.stderr, done.stderr
    return done


def test_an_assignment_is_begun_and_released(course):
    """`course new` makes a folder that loads and is listed; `course release` lays out the student's copy alone."""
    autograder(course, "course", "new", "a05_mine")
    assert "a05_mine" in autograder(course, "course", "list").stdout
    autograder(course, "course", "release", "a05_mine", "--to", "out")
    names = {p.name for p in (course / "out" / "a05_mine").iterdir()}
    assert {"a05_mine.ipynb", "assignment.toml", "test_public.py"} <= names
    assert not names & {"test_hidden.py", "solutions", "mutants", "mutants.toml"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("new", TEMPLATE), "exists already"),
        (("new", "../elsewhere"), "lower-case letters"),
        (("new", "A05"), "lower-case letters"),
        (("release", "a99"), "no such assignment"),
        (("release", TEMPLATE, "--to", "reference/README.md/in"), "reference/README.md"),
        (("mutant", TEMPLATE, "nobody"), "no such mutant"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(course, arguments, words):
    """With the name of what is wrong, exit code 2, and nothing made."""
    before = sorted(course.rglob("*"))
    assert words in autograder(course, "course", *arguments, code=2).stderr
    assert sorted(course.rglob("*")) == before


def test_a_student_checks_in_place(course):
    """The same checks as in the grading, with a warning that nothing is isolated; 1 where one is missed."""
    right = next((course / "assignments" / TEMPLATE / "solutions").glob("*.py"))
    done = autograder(course, "check", TEMPLATE, str(right))
    assert "not isolated" in done.stderr and "passed" in done.stdout
    (course / "wrong.py").write_text("x = 1\n")
    done = autograder(course, "check", TEMPLATE, "wrong.py", code=1)
    assert "missing-function" in done.stdout and "shim.py" not in done.stdout


def test_a_ledger_is_kept_and_brought_back(tmp_path):
    """`ledger backup`, `restore` and `status` on what a service took in."""
    world = World(tmp_path / "w")
    try:
        world.serve(simulate=0.1)
        assert world.submit("ada", world.token("ada"), b"def work(x, steps): return x\n")
        world.all_graded(60)
        assert (
            "1 submissions, 1 grades"
            in autograder(world.folder, "ledger", "backup", "c.tar", "--state", "state").stdout
        )
        (world.folder / "hub").mkdir()
        (world.folder / "hub" / "service").symlink_to(world.folder / "state")
        assert (
            "graded" in autograder(world.folder, "ledger", "status", "--state", "hub").stdout
        )  # as AUTOGRADER_STATE names it there
    finally:
        world.close()
    assert "restored 1 submissions" in autograder(world.folder, "ledger", "restore", "c.tar", "--state", "new").stdout
    told = [
        json.loads(autograder(world.folder, "ledger", "status", "--json", "--state", s).stdout)
        for s in ("state", "new")
    ]
    assert told[0]["states"] == told[1]["states"] and told[0]["states"]["graded"] == 1
    assert "not empty" in autograder(world.folder, "ledger", "restore", "c.tar", "--state", "new", code=3).stderr


@pytest.mark.parametrize("left", ["jupyterhub.sqlite", "jupyterhub_cookie_secret", "course", "nbgrader_config.py"])
def test_a_hub_finds_what_was_restored_into_its_folder(tmp_path, left):
    """Its service looks in `service/` alone, which a folder that was made anew does not have yet."""
    Ledger.open(folder=tmp_path / "old").close()
    autograder(tmp_path, "ledger", "backup", "c.tar", "--state", "old")
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / left).touch()
    assert "hub/service" in autograder(tmp_path, "ledger", "restore", "c.tar", "--state", "hub").stdout
    assert sorted(p.name for p in (tmp_path / "hub").iterdir()) == [left, "service"]
    assert "graded" in autograder(tmp_path, "ledger", "status", "--state", "hub/service").stdout


@pytest.mark.parametrize("command", [("ledger", "backup", "c.tar"), ("ledger", "status"), ("regrade", TEMPLATE)])
def test_no_ledger_is_no_empty_ledger(course, command):
    """A backup of the wrong folder is an error, not an archive of nothing; nothing is made there."""
    (course / "elsewhere").mkdir()
    assert "holds no ledger" in autograder(course, *command, "--state", "elsewhere", code=3).stderr
    assert not list((course / "elsewhere").iterdir()) and not (course / "c.tar").exists()


def test_an_empty_database_is_no_ledger(tmp_path, fresh_postgres):  # noqa: F811  # the fixture
    """The wrong database beside the right folder."""
    (tmp_path / "state" / "blobs").mkdir(parents=True)
    done = autograder(tmp_path, "ledger", "status", "--state", "state", "--database", fresh_postgres(), code=3)
    assert "the database holds no ledger" in done.stderr


@pytest.mark.docker
def test_a_machine_says_whether_it_is_fit(tmp_path, engine):
    """As JSON: facts, items in words, and the noise floor of a real duel."""
    command = [sys.executable, "-m", "autograder", "node", "check", "--json", "--rounds", "24"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["fit"] else 1), done.stderr
    items = {i["name"]: i for i in found["items"]}
    measured = items["noise floor"]["words"]
    assert "A/A duel" in measured or "rounds were disturbed" in measured
    assert "answers" in items["container engine"]["words"]
    assert found["machine"]["cores"] == os.cpu_count()


def test_help_names_every_command_at_once(tmp_path: Path) -> None:
    """Nothing that takes seconds to import is imported for it, and no sentence is cut off."""
    heavy = "{'distributed', 'docker', 'fastapi', 'nbgrader', 'numpy', 'sqlalchemy'}"
    program = (
        "import sys\nfrom autograder.cli import cli\ncli(['--help'], standalone_mode=False)\n"
        f"print('imported:', sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    words = done.stdout
    for name in ("grade", "try", "verify-verdicts", "serve", "hub"):
        assert f"\n  {name} " in words, words
    assert "..." not in words.partition("Commands:")[2] and words.endswith("imported: []\n"), words
