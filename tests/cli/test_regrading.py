"""`autograder regrade` on a ledger that a service filled: the difference first, then what staff decide."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.conftest import FIXTURES
from tests.crash.world import World

pytestmark = pytest.mark.docker
WRONG = b"def work(x, steps):\n    return x + 1.0\n"


@pytest.fixture
def world(tmp_path, engine):
    """Three students have grades that a simulated grader made up; one of them handed in more than is allowed by now."""
    shutil.copytree(FIXTURES, tmp_path / "course")
    made = World(tmp_path / "w", course=tmp_path / "course")
    made.serve(simulate=0.1)
    for student, content in (("ada", WRONG), ("ben", b"value = 1\n"), ("cem", b"#" * 5000 + b"\n" + WRONG)):
        assert made.submit(student, made.token(student), content)
    made.all_graded(60)
    made.close()
    yield made
    made.close()


def regrade(world: World, *more: str, answer: str = "", assignment: str = "t_basic") -> str:
    """What it prints to staff."""
    command = [sys.executable, "-m", "autograder", "regrade", assignment, "--state", "state", *more]
    done = subprocess.run(command, cwd=world.folder, input=answer, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scores(world: World) -> dict[str, float | None]:
    """What counts."""
    ledger = world.ledger()
    try:
        return {e.student: e.score for e in ledger.latest("course", "t_basic")}
    finally:
        ledger.close()


def test_the_difference_comes_first_and_staff_decide(world, tmp_path):
    """Looking changes nothing, no is no, and yes replaces what was decided; what is refused by now keeps its grade."""
    toml = tmp_path / "course" / "assignments" / "t_basic" / "assignment.toml"
    text = toml.read_text()
    assert "submission_kb = 64" in text
    toml.write_text(text.replace("submission_kb = 64", "submission_kb = 4"))
    before = scores(world)
    for said in (regrade(world, "--dry-run"), regrade(world, answer="n\n")):
        assert "ada" in said and "formula: new → wrong-answer 0" in said, said
        assert "missing-function" in said and "cem: refused by the assignment as it is now" in said
        assert scores(world) == before
    assert "are live" in regrade(world, "--yes")
    after = scores(world)
    assert after["ada"] == after["ben"] == 0 and after["cem"] == before["cem"] > 0
    ledger = world.ledger()
    try:
        assert ledger.verify_audit() > 0
    finally:
        ledger.close()


def test_a_machine_without_a_gpu_takes_nobodys_speed(tmp_path, engine):
    """What waits for hardware here was measured elsewhere: undecided, and nothing becomes live."""
    world = World(tmp_path / "w")
    ledger = world.ledger()
    try:
        program = next((FIXTURES / "assignments" / "t_gpu" / "solutions").glob("*.py")).read_bytes()
        ledger.submit(course="course", assignment="t_gpu", student="ada", name="s.py", content=program, channel="api")
        held = ledger.lease("elsewhere", free=8, hold_s=60)
        assert held is not None
        measured = {"id": "speed", "points": 40.0, "max_points": 40.0, "verdict": "passed", "evidence": {}}
        assert ledger.record(held, {"score": 40.0, "max_score": 40.0, "criteria": [measured]})
        said = regrade(world, "--yes", assignment="t_gpu")
        assert "waiting-for-hardware" in said and "0 would change, 1 could not be decided" in said, said
        (entry,) = ledger.latest("course", "t_gpu")
        assert entry.score == 40.0
    finally:
        ledger.close()
        world.close()
