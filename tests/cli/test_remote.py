"""`autograder submit` and `autograder try` against a running service, as a student types them."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from autograder.cli import cli
from autograder.cli.remote import Service, try_
from autograder.errors import AutograderError, SubmissionError
from tests.crash.world import World, free_port, program
from tests.engine.test_claims import CLAIM, CLAIMS, FILES, PROJECT


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """With gradings that take a moment and need no engine."""
    world = World(tmp_path_factory.mktemp("service") / "w")
    world.serve(simulate=0.3)
    yield world
    world.close()


def run(world, *arguments, token=None):
    """One command."""
    environment = {"AUTOGRADER_URL": world.url, "AUTOGRADER_TOKEN": token or ""}
    return CliRunner().invoke(cli, arguments, env=environment, catch_exceptions=True)


@pytest.fixture
def file(tmp_path):
    """A submission."""
    path = tmp_path / "mine.py"
    path.write_bytes(program())
    return str(path)


@pytest.mark.parametrize("command", ["submit", "try"])
def test_a_verdict_comes_back(service, file, command):
    """Receipt, progress, verdict."""
    result = run(service, command, "t_basic", file, "--json", token=service.token("ada"))
    found = json.loads(result.stdout)
    assert result.exit_code == 0 and found["receipt"]["name"] == "mine.py"
    assert found["state"] == "graded" and found["grade"]["criteria"][0]["verdict"] == "passed"
    assert found["purpose"] == ("grade" if command == "submit" else "try")


@pytest.mark.docker
@pytest.mark.parametrize("role", ["student", "ta"])
def test_a_real_duel_is_followed_to_its_end(tmp_path_factory, file, role):
    """What a judge says while it measures is not what a simulated grading says: its first intervals have no upper end."""
    world = World(tmp_path_factory.mktemp("real") / "w")
    try:
        world.serve()
        result = run(world, "submit", "t_basic", file, "--json", token=world.token("ada", role))
    finally:
        world.close()
    assert result.exit_code == 0, result.exception
    found = json.loads(result.stdout)
    assert found["state"] in ("graded", "needs-staff") and found["grade"]["criteria"][-1]["id"] == "speed"


@pytest.mark.docker
def test_a_project_s_folder_goes_the_whole_way(tmp_path_factory, tmp_path):
    """Packed, received, measured in containers by the queue; the same folder again is known."""
    folder = tmp_path / "ours"
    for name, text in (FILES | {"project.toml": PROJECT + CLAIM.format("honest", *CLAIMS["honest"][:4])}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    world = World(tmp_path_factory.mktemp("project") / "w")
    try:
        world.serve()
        token = world.token("ada")
        found = [
            json.loads(run(world, "submit", "t_project", str(folder), "--json", *more, token=token).stdout)
            for more in ([], ["--no-wait"])
        ]
    finally:
        world.close()
    assert not found[0]["receipt"]["duplicate"] and found[1]["receipt"]["duplicate"]
    assert found[0]["state"] in ("graded", "needs-staff"), found[0]
    only = found[0]["grade"]["criteria"]
    assert [c["id"] for c in only] == ["honest"] and only[0]["verdict"] in ("passed", "not-as-claimed", "inconclusive")
    assert only[0]["evidence"]["claim"]["claimed"] == 3.0


def test_it_may_stop_at_the_receipt(service, file):
    """Whoever does not wait finds it on the page later."""
    result = run(service, "submit", "t_basic", file, "--no-wait", token=service.token("ada"))
    assert result.exit_code == 0 and "receipt" in result.stderr


def test_without_a_token_it_says_where_to_get_one(service, file):
    """Before anything is sent."""
    result = run(service, "submit", "t_basic", file)
    assert result.exit_code == 2 and "a token is needed" in result.output


def test_a_wrong_token_or_assignment_is_a_sentence(service, file):
    """No traceback."""
    for token, slug in (("wrong", "t_basic"), (service.token("ada"), "a99_nothing")):
        result = run(service, "submit", slug, file, token=token)
        assert isinstance(result.exception, SubmissionError), result.exception


def test_a_service_that_is_away_is_our_fault(service, file):
    """And nothing was submitted."""
    result = run(service, "submit", "t_basic", file, "--url", f"http://127.0.0.1:{free_port()}/", token="x")  # noqa: S106
    assert isinstance(result.exception, AutograderError) and "nothing was submitted" in str(result.exception)


def test_a_refused_file_says_why(service, tmp_path):
    """The student's sentence comes through."""
    path = tmp_path / "s.ipynb"
    path.write_text("{}")
    result = run(service, "submit", "t_basic", str(path), token=service.token("ada"))
    assert isinstance(result.exception, SubmissionError) and "format is not 4" in str(result.exception)


assert try_.name == "try"


def test_a_connection_that_breaks_behind_the_question_is_no_word_of_what_became_of_it(file):
    """The bytes may have arrived; handed in again, they count once."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.recv(1 << 16)
            connection.close()

        pool.submit(hang_up)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        result = CliRunner().invoke(cli, ["submit", "t_basic", file, "--url", url, "--token", "x"])
    assert isinstance(result.exception, AutograderError), result.exception
    assert "may have arrived" in str(result.exception) and "nothing was submitted" not in str(result.exception)


def test_who_loses_sight_of_a_grading_keeps_the_receipt(service, file, monkeypatch):
    """On standard output, where a script looks for it."""
    monkeypatch.setattr(Service, "news", lambda *_: iter(()))
    real = Service.call

    def call(self, method, path, **more):
        return real(self, method, path if method == "POST" else "nowhere/at/all", **more)

    monkeypatch.setattr(Service, "call", call)
    result = run(service, "submit", "t_basic", file, "--json", token=service.token("ada"))
    assert result.exit_code != 0 and json.loads(result.stdout)["receipt"]["name"] == "mine.py"
