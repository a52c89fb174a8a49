"""Who follows a submission outlives the service's restart."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from hub.nbgrader_plugins import client
from hub.nbgrader_plugins.client import Refused, Service, Unreachable

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses take no time."""
    monkeypatch.setattr(client.time, "sleep", lambda _: None)


def away(request: httpx.Request) -> httpx.Response:
    """Nobody is there."""
    raise httpx.ConnectError("refused", request=request)


def says(state: str, status: int = 200) -> Answer:
    """An answer to whatever is asked."""
    return lambda _: httpx.Response(status, json={"state": state, "detail": state})


def service(*answers: Answer) -> Service:
    """A service that answers so, in this order; the last one again and again."""
    left = list(answers)
    transport = httpx.MockTransport(lambda request: (left.pop(0) if len(left) > 1 else left[0])(request))
    return Service("http://127.0.0.1:1/", "t", transport)


def test_a_service_that_restarts_is_waited_for() -> None:
    """Its stream breaks, nobody answers for a while, and then the verdict is there."""
    with service(says("running"), away, away, away, says("graded")) as restarting:
        assert restarting.wait(1, 60.0)["state"] == "graded"


def test_a_refused_stream_ends_no_waiting() -> None:
    """Too many are open: the entry says as much."""
    with service(says("running"), says("Too many live streams are open.", 429), says("graded")) as crowded:
        assert crowded.wait(1, 60.0)["state"] == "graded"


def test_nobody_waits_longer_than_asked_for() -> None:
    """Nor for what the service refuses."""
    with service(away) as gone, pytest.raises(Unreachable):
        gone.wait(1, 0.0)
    with service(away) as gone, pytest.raises(Unreachable):
        gone.wait(1, 0.2)
    with service(says("There is no such thing here.", 404)) as strict, pytest.raises(Refused):
        strict.wait(1, 60.0)
