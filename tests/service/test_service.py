"""Health, metrics, ports, settings, tokens, and nothing of ours breaks whatever is sent."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.api import Dispatcher
from hub.service.command import serve
from hub.service.gradebook import Inside
from hub.service.hub_identity import role_of
from hub.service.identity import Identity
from hub.service.ports import Grader, NoGrader, Subscription
from hub.service.settings import Settings
from hub.service.token_identity import TokenFile, TokenIdentity
from tests.service.conftest import FakeGrader, House


def test_the_stand_ins_are_graders() -> None:
    """As is the real dispatcher."""
    for kind in (FakeGrader, NoGrader):
        assert isinstance(kind(), Grader) and isinstance(kind().watch(1), Subscription)
    assert all(callable(getattr(Dispatcher, name)) for name in ("wake", "nodes", "watch", "on_recorded"))


def test_health_needs_no_token(house: House) -> None:
    """And says when the ledger is away."""
    assert house.http.get(f"{house.settings.prefix}api/health").json() == {"status": "ok"}


def test_metrics_for_staff_and_scrapers(build: Callable[..., House]) -> None:
    """Queue, receipts, latency, nodes."""
    house = build(metrics_token="scrape-me")  # noqa: S106  # of this test
    house.grade(house.submit())
    answer = house.http.get(f"{house.settings.prefix}metrics", headers={"Authorization": "Bearer scrape-me"})
    assert answer.status_code == 200
    for line in ('autograder_submissions_state{state="graded"} 1.0', 'autograder_submissions_total{duplicate="false",purpose="grade"} 1.0',
                 "autograder_receipt_seconds_count 1.0", "autograder_gradings_total 1.0", "autograder_nodes 2.0"):  # fmt: skip
        assert line in answer.text, line
    assert house.api("tom", "GET", "metrics").status_code == 200
    assert (
        house.http.get(f"{house.settings.prefix}metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    )


def test_errors_are_one_sentence(house: House) -> None:
    """As JSON for programs, as a page for people; nothing of ours in them."""
    answer = house.api("ada", "GET", "api/nowhere")
    assert answer.status_code == 404 and set(answer.json()) == {"detail"}
    answer = house.api("ada", "GET", "api/submissions/zero")
    assert answer.status_code == 422 and isinstance(answer.json()["detail"], str)
    page = house.page("ada", "nowhere")
    assert page.status_code == 404 and "<h1>That did not work</h1>" in page.text
    assert house.http.get(house.settings.prefix.rstrip("/")).status_code in (307, 303)


def test_an_unexpected_failure_shows_nothing_of_ours(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with a sentence and the same headers."""

    def broken(_: int) -> None:
        raise RuntimeError("secret-4712")

    monkeypatch.setattr(house.ledger, "entry", broken)
    answer = house.api("ada", "GET", "api/submissions/1")
    assert answer.status_code == 500 and "secret" not in answer.text and answer.headers["content-security-policy"]


def test_tokens_are_kept_as_digests_and_read_again(tmp_path: Path) -> None:
    """Only the owner may read the file; a token made elsewhere works at once."""
    one, other = TokenFile(tmp_path), TokenFile(tmp_path)
    assert one.people() == {}
    token = other.add("ada", "student")
    assert token not in other.path.read_text() and stat.S_IMODE(other.path.stat().st_mode) == 0o600
    assert [p.name for p in one.people().values()] == ["ada"]
    for name, role in (("a b", "student"), ("ada", "king"), ("", "student")):
        with pytest.raises(ValueError, match="NAME=ROLE"):
            one.add(name, role)


def test_the_command_makes_tokens(tmp_path: Path) -> None:
    """Printed once, on standard output."""
    done = CliRunner().invoke(serve, ["--state", str(tmp_path), "--token", "ada=student"])
    assert done.exit_code == 0 and len(done.output.strip()) > 20
    assert CliRunner().invoke(serve, ["--state", str(tmp_path), "--token", "ada=king"]).exit_code == 2


def test_settings_come_from_the_environment() -> None:
    """The prefix has a slash at both ends, whatever the hub says."""
    assert Settings.read({}).prefix == "/"
    told = Settings.read(
        {"JUPYTERHUB_SERVICE_PREFIX": "/services/autograder", "AUTOGRADER_COURSE": "hpc", "AUTOGRADER_GRADEBOOK": "/g"}
    )
    assert (told.prefix, told.course, told.gradebook) == ("/services/autograder/", "hpc", Path("/g"))


def test_the_highest_group_counts() -> None:
    """Groups of another course give nothing."""
    assert role_of(("course-hpc-student", "course-hpc-ta", "course-x-instructor"), "hpc") == "ta"
    assert role_of(("course-hpc-king", "hpc"), "hpc") is None


def test_the_gradebook_writer_is_known_inside_only(house: House) -> None:
    """Its token opens nothing in an app that was not told of it."""
    identity: Identity = Inside(TokenIdentity(house.settings, house.ledger), "inside-token")
    import asyncio

    found = asyncio.run(identity.person("inside-token"))
    assert found is not None and found.role == "ta"
    assert asyncio.run(identity.person("")) is None
    assert (
        house.http.get(f"{house.settings.prefix}api/me", headers={"Authorization": "token inside-token"}).status_code
        == 401
    )
