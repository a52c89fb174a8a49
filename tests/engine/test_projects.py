"""A project that was handed in: every claim a criterion, in containers, and what the showcase makes of it."""

import io
import tarfile
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from autograder.api import HandedIn, Node, Options, SubmissionError, load, write_gallery
from autograder.domain.grade import Grade
from autograder.domain.project import Measured, Standing
from autograder.domain.verdict import Verdict
from autograder.engine import projects
from autograder.engine.projects import grade_project
from tests.conftest import FIXTURES
from tests.engine.test_claims import CLAIM, CLAIMS, FILES, PROJECT

WORK = load(FIXTURES / "assignments" / "t_project")
TRIED = {
    "honest": Verdict.PASSED,
    "boasts": Verdict.NOT_AS_CLAIMED,
    "fails-itself": Verdict.CRASHED,
    "gpu": Verdict.WAITING_FOR_HARDWARE,
}


def packed(*names, more=""):
    """An archive with these claims."""
    claims = "".join(CLAIM.format(name, *CLAIMS[name][:4]) for name in names) + more
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, text in (FILES | {"project.toml": PROJECT + claims}).items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return raw.getvalue()


@pytest.mark.docker
def test_every_claim_becomes_a_criterion(engine, tmp_path):
    """With its own verdict, its duel and its sentence, whatever became of the others; and the grade survives the ledger's JSON."""
    content, news = packed(*TRIED), []
    with Node(Options(pairs=1, gpus=())) as node:
        for _ in range(4):  # measured again while the machine is noisy
            grade = grade_project(node, WORK, "ours.tar.gz", content, node.slots(WORK)[-1], news.append, trial=True)
            if not grade.ours:
                break
    found = {c.id: c for c in grade.criteria}
    assert {c.id: c.verdict for c in grade.criteria} == TRIED, [c.sentence for c in grade.criteria]
    assert (
        grade.max_score == grade.score == 0.0 and grade.waiting and not grade.ours and grade.assignment == "t_project"
    )
    assert found["honest"].sentence.startswith("3× is claimed, ") and found["honest"].sentence.endswith(": verified.")
    assert "Slower than claimed" in found["boasts"].sentence and "not today" in found["fails-itself"].sentence
    assert {n["criterion"] for n in news if n["phase"] == "duel"} == {"honest", "boasts"}
    body = grade.to_json()
    assert Grade.from_json(body).criteria[0].duel.counted
    pages = write_gallery([HandedIn(7, "ours.tar.gz", content, body, datetime.now(UTC))], None, tmp_path / "site")
    assert [p.name for p in pages] == ["index.html", "planted.html"]
    assert "1 of 4</strong> claims verified" in pages[0].read_text() and "slower than claimed" in pages[1].read_text()


def test_a_claim_may_not_ask_for_more_than_the_course_has():
    """Refused with the claim and both numbers, before anything runs."""
    more = CLAIM.format("wide", "thrice.py", "fast.py", 3.0, "threads").replace("kind =", "cores = 3\nkind =")
    with pytest.raises(SubmissionError, match="claim wide asks for 3 cores; the machines of this course lend 2"):
        grade_project(None, WORK, "ours.tar.gz", packed("honest", more=more), (0,), lambda _: None)


def test_a_project_cannot_keep_a_machine_for_ever(monkeypatch):
    """Behind its time no further claim is begun, and those say so; the first always is."""
    lost = Measured("", 3.0, Standing.FAILED, words="raised")
    monkeypatch.setattr(projects, "MOST_S", -1.0)
    monkeypatch.setattr(
        projects, "measure", lambda *_, **__: (lost, SimpleNamespace(engine={}, machine={}, criteria=()))
    )
    grade = grade_project(None, WORK, "ours.tar.gz", packed("honest", "boasts"), (0,), lambda _: None)
    assert [c.verdict for c in grade.criteria] == [Verdict.CRASHED, Verdict.NOT_MEASURED]
    assert (
        grade.criteria[1].sentence.startswith("6× is claimed. Not measured: the claims before it took")
        and not grade.ours
    )


def test_a_file_that_takes_long_to_parse_is_refused():
    """Before it is parsed."""
    with pytest.raises(SubmissionError, match="more than 131072"):
        grade_project(None, WORK, "ours.tar.gz", packed("honest", more="#" * 140_000), (0,), lambda _: None)
