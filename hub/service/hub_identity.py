"""Identity of the managed service: JupyterHub's tokens for the API, its OAuth for pages, its groups for roles."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from jupyterhub.services.auth import HubOAuth
from jupyterhub.utils import url_path_join
from tornado.web import HTTPError

from autograder.api import Ledger
from hub.service.identity import RANK, Person, by_https, safe_next, same_site, set_session
from hub.service.settings import Settings

CACHE_S = 60
_STATE = "autograder-oauth-state"


class HubIdentity:
    """Asks the hub, and remembers the answer for a minute.

    A member of the hub group `course-<course>-instructor`, `-ta` or `-student` has that role; the highest counts.
    The groups decide on every visit, the ledger keeps what they last said.
    """

    cookie = "autograder-session"

    def __init__(self, settings: Settings, ledger: Ledger, auth: HubOAuth | None = None) -> None:
        self.settings, self.ledger = settings, ledger
        self.auth = auth if auth is not None else HubOAuth(cache_max_age=CACHE_S)
        self._groups: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._enrolled: dict[str, str] = {}

    async def person(self, token: str) -> Person | None:
        """Whose token this is, where it may reach this service and its owner is in the course."""
        try:
            model = await self.auth.user_for_token(token, sync=False)
            if not model or model.get("kind") != "user":
                return None
            # a token that was made for something else must not work here
            if not self.auth.check_scopes(self.auth.access_scopes, model):
                return None
            groups = tuple(model["groups"]) if "groups" in model else await self._ask_groups(model["name"])
        except HTTPError as error:
            raise HTTPException(
                503, "The hub does not answer; try again in a minute.", {"Retry-After": "10"}
            ) from error
        role = role_of(groups, self.settings.course)
        if role is None:
            return None
        if self._enrolled.get(model["name"]) != role:
            await run_in_threadpool(self.ledger.enrol, self.settings.course, model["name"], role)
            self._enrolled[model["name"]] = role
        return Person(model["name"], role)

    async def _ask_groups(self, name: str) -> tuple[str, ...]:
        """With the service's own token, where the visitor's does not tell (no scope `read:users:groups`)."""
        known = self._groups.get(name)
        if known is not None and time.monotonic() - known[0] < CACHE_S:
            return known[1]
        url = url_path_join(self.auth.api_url, "users", name)
        model: dict[str, Any] = await self.auth._api_request("GET", url) or {}
        groups = tuple(model.get("groups", ()))
        self._groups[name] = (time.monotonic(), groups)
        return groups

    def router(self) -> APIRouter:
        """Login by the hub's OAuth: state and PKCE in a short-lived cookie."""
        router = APIRouter(include_in_schema=False)
        prefix = self.settings.prefix

        @router.get("/login")
        def begin(request: Request) -> Response:
            verifier, challenge, method = self.auth.generate_pkce_code_challenge()
            kept = {
                "state": secrets.token_urlsafe(24),
                "verifier": verifier,
                "next": safe_next(request.query_params.get("next", ""), prefix),
            }
            asked = {
                "client_id": self.auth.oauth_client_id,
                "redirect_uri": self.auth.oauth_redirect_uri,
                "response_type": "code",
                "state": kept["state"],
                "code_challenge": challenge,
                "code_challenge_method": method,
            }
            answer = RedirectResponse(f"{self.auth.oauth_authorization_url}?{urlencode(asked)}", status_code=302)
            packed = base64.urlsafe_b64encode(json.dumps(kept).encode()).decode()
            answer.set_cookie(
                _STATE, packed, max_age=600, httponly=True, samesite="lax", secure=by_https(request), path=prefix
            )
            return answer

        @router.get("/oauth_callback")
        async def finish(request: Request, code: str = "", state: str = "") -> Response:
            try:
                kept = json.loads(base64.urlsafe_b64decode(request.cookies.get(_STATE, "")))
                good = bool(code) and hmac.compare_digest(kept["state"].encode(), state.encode())
                verifier, target = str(kept["verifier"]), safe_next(str(kept["next"]), prefix)
            except (ValueError, KeyError, TypeError, AttributeError):
                good = False
            if not good:
                raise HTTPException(403, "This login was not begun here, or took too long; open the page again.")
            try:
                token = await self.auth.token_for_code(code, code_verifier=verifier, sync=False)
            except HTTPError as error:
                raise HTTPException(403, "The hub did not confirm this login; open the page again.") from error
            if await self.person(token) is None:
                raise HTTPException(403, f"You are not in the course '{self.settings.course}'; ask the course's staff.")
            answer = RedirectResponse(target, status_code=303)
            set_session(answer, request, self.cookie, token, prefix)
            answer.delete_cookie(_STATE, path=prefix)
            return answer

        @router.post("/logout")
        def leave(request: Request) -> Response:
            if not same_site(request):
                raise HTTPException(403, "This form was sent from another site; nothing was done.")
            answer = RedirectResponse(url_path_join(self.auth.hub_prefix, "logout"), status_code=303)
            answer.delete_cookie(self.cookie, path=prefix)
            return answer

        return router


def role_of(groups: tuple[str, ...], course: str) -> str | None:
    """The highest role that the groups give in a course."""
    held = [role for role in RANK if f"course-{course}-{role}" in groups]
    return max(held, key=RANK.__getitem__, default=None)
