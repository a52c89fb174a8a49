"""A project that was handed in: every claim a criterion, in containers, and what the showcase makes of it."""

import io
import tarfile
from datetime import UTC, datetime

import pytest

from autograder.api import HandedIn, Node, Options, SubmissionError, load, write_gallery
from autograder.domain.grade import Grade
from autograder.domain.verdict import Verdict
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
        grade = grade_project(node, WORK, "ours.tar.gz", content, node.slots(WORK)[-1], news.append, trial=True)
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
