"""An engine that is away, or refuses, is one kind of error to all who ask it: one that is waited for and charged to nobody."""

from __future__ import annotations

import pytest
import requests
from docker.errors import APIError

from autograder.errors import MachineError, SandboxError
from autograder.sandbox.container import ContainerSandbox
from autograder.sandbox.profile import Profile

PROFILE = Profile("image", (0,), 64, 32, 16, ())


def refusal() -> APIError:
    """As Docker answers when a mount is busy."""
    answer = requests.Response()
    answer.status_code = 500
    return APIError("500 Server Error", answer, "device or resource busy")


class Away:
    """An engine's client of which every call fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.api = self

    def __getattr__(self, name):
        def call(*_, **__):
            raise self.error

        return call


@pytest.fixture(params=[requests.ConnectionError("refused"), requests.ReadTimeout("late"), refusal()], ids=repr)
def sandbox(request) -> ContainerSandbox:
    """One whose engine fails that way."""
    return ContainerSandbox(Away(request.param), "4194305-3.1")


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.start(PROFILE, "away"),
        lambda s: s.remove("0" * 64),
        lambda s: s.remove_labelled("job"),
        lambda s: s.owned(),
        lambda s: s.pause("0" * 64),
        lambda s: s.unpause("0" * 64),
    ],
    ids=["start", "remove", "remove_labelled", "owned", "pause", "unpause"],
)
def test_whatever_is_asked_fails_as_a_sandbox(sandbox, ask):
    """`requests` has errors of its own, which docker-py lets through."""
    with pytest.raises(SandboxError):
        ask(sandbox)


def test_a_missing_engine_is_no_missing_image(sandbox):
    """Staff are told which."""
    with pytest.raises(MachineError, match="does not answer"):
        sandbox.image_id("image")


def test_why_a_container_did_not_start_is_not_hidden_by_its_removal(monkeypatch):
    """Both fail when the engine goes away in between."""
    sandbox = ContainerSandbox(Away(requests.ConnectionError("refused")), "4194305-3.2")
    monkeypatch.setattr(sandbox, "_create", lambda *_: "0" * 64)
    with pytest.raises(SandboxError, match="did not start: refused"):
        sandbox.start(PROFILE, "away")
