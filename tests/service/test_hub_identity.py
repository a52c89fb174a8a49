"""Identity from a hub: a small stand-in for JupyterHub's REST API and OAuth, asked by JupyterHub's own client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from jupyterhub.services.auth import HubOAuth

from autograder.api import Ledger
from hub.service.app import make_app
from hub.service.hub_identity import HubIdentity
from hub.service.settings import Settings
from tests.service.conftest import FakeGrader, Server

REACH = "access:services!service=autograder"
# token → what the hub says of it; "groups" is missing where the token may not read them
TOKENS: dict[str, dict[str, Any]] = {
    "page-of-ada": {"kind": "user", "name": "ada", "scopes": [REACH], "groups": ["course-hpc-student", "other"]},
    "server-of-tom": {"kind": "user", "name": "tom", "scopes": [REACH]},
    "for-something-else": {"kind": "user", "name": "ada", "scopes": ["self"], "groups": ["course-hpc-instructor"]},
    "of-another-service": {"kind": "service", "name": "cull", "scopes": [REACH], "groups": ["course-hpc-instructor"]},
    "guest": {"kind": "user", "name": "eve", "scopes": [REACH], "groups": ["course-physics-student"]},
}


def hub_app() -> FastAPI:
    """What the identity asks of a hub."""
    app = FastAPI()
    app.state.asked = []

    @app.get("/hub/api/user")
    def user(request: Request) -> Any:
        token = request.headers["authorization"].removeprefix("token ")
        app.state.asked.append(token)
        return TOKENS[token] if token in TOKENS else JSONResponse({"message": "no"}, 403)

    @app.get("/hub/api/users/{name}")
    def groups(name: str, request: Request) -> Any:
        assert request.headers["authorization"] == "token of-the-service"
        return {"name": name, "groups": ["course-hpc-ta"] if name == "tom" else []}

    @app.post("/hub/api/oauth2/token")
    async def token(request: Request) -> Any:
        sent = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        if sent["code"] != "good-code" or not sent["code_verifier"] or sent["client_secret"] != "of-the-service":  # noqa: S105  # of this test
            return JSONResponse({"error": "invalid_grant"}, 400)
        return {"access_token": "page-of-ada"}

    app.state.stopping = type("Stop", (), {"set": lambda self: None})()
    return app


@pytest.fixture
def served(settings: Settings) -> Iterator[tuple[httpx.Client, Ledger, FastAPI]]:
    """The service, with a hub beside it."""
    from dataclasses import replace

    with ExitStack() as open_things:
        hub = hub_app()
        url = open_things.enter_context(Server(hub))
        ledger = Ledger.open("", settings.state)
        open_things.callback(ledger.close)
        auth = HubOAuth(
            api_url=f"{url}/hub/api",
            api_token="of-the-service",  # noqa: S106  # of this test
            access_scopes={REACH},
            oauth_client_id="service-autograder",
            oauth_redirect_uri="/services/autograder/oauth_callback",
            oauth_authorization_url="/hub/api/oauth2/authorize",
            cache_max_age=60,
        )
        mine = replace(settings, course="hpc")
        app = make_app(mine, ledger, FakeGrader(), HubIdentity(mine, ledger, auth))
        base = open_things.enter_context(Server(app))
        yield open_things.enter_context(httpx.Client(base_url=base, timeout=20)), ledger, hub


def me(client: httpx.Client, token: str) -> httpx.Response:
    """Who the service takes a token for."""
    return client.get("/services/autograder/api/me", headers={"Authorization": f"token {token}"})


def test_roles_come_from_groups_and_reach_the_ledger(served: tuple[httpx.Client, Ledger, FastAPI]) -> None:
    """Where a token may not read groups, the service asks with its own; the answer is kept for a minute."""
    client, ledger, hub = served
    assert me(client, "page-of-ada").json() == {"name": "ada", "course": "hpc", "role": "student"}
    assert me(client, "server-of-tom").json()["role"] == "ta"
    assert ledger.members("hpc") == {"ada": "student", "tom": "ta"}
    me(client, "page-of-ada")
    assert hub.state.asked.count("page-of-ada") == 1


@pytest.mark.parametrize("token", ["for-something-else", "of-another-service", "guest", "unknown"])
def test_other_tokens_open_nothing(served: tuple[httpx.Client, Ledger, FastAPI], token: str) -> None:
    """Without the scope, of a service, of another course, of nobody."""
    client, ledger, _ = served
    assert me(client, token).status_code == 401
    assert ledger.members("hpc") == {}


def test_a_login_goes_by_the_hub_and_back(served: tuple[httpx.Client, Ledger, FastAPI]) -> None:
    """With state and PKCE; a code without our state, or a wrong code, opens nothing."""
    client, _, _ = served
    away = client.get("/services/autograder/staff")
    assert away.status_code == 303
    asked = client.get(away.headers["location"])
    assert asked.status_code == 302
    target = urlsplit(asked.headers["location"])
    query = {k: v[0] for k, v in parse_qs(target.query).items()}
    assert target.path == "/hub/api/oauth2/authorize" and query["client_id"] == "service-autograder"
    assert query["code_challenge_method"] == "S256" and query["redirect_uri"].endswith("/oauth_callback")
    callback = "/services/autograder/oauth_callback"
    assert client.get(callback, params={"code": "good-code", "state": "forged"}).status_code == 403
    assert client.get(callback, params={"code": "bad-code", "state": query["state"]}).status_code == 403
    back = client.get(callback, params={"code": "good-code", "state": query["state"]})
    assert back.status_code == 303 and back.headers["location"] == "/services/autograder/staff"
    assert "page-of-ada" in back.headers["set-cookie"] and "HttpOnly" in back.headers["set-cookie"]
    assert client.get("/services/autograder/").status_code == 200
    assert client.get("/services/autograder/staff").status_code == 403


def test_a_hub_that_is_away_is_our_fault(settings: Settings) -> None:
    """503 and when to come back, never a login loop."""
    ledger = Ledger.open("", settings.state)
    auth = HubOAuth(api_url="http://127.0.0.1:9/hub/api", api_token="x", access_scopes={REACH})  # noqa: S106
    app = make_app(settings, ledger, FakeGrader(), HubIdentity(settings, ledger, auth))
    with Server(app) as url, httpx.Client(base_url=url, timeout=20) as client:
        answer = me(client, "any")
        assert answer.status_code == 503 and answer.headers["retry-after"]
    ledger.close()
